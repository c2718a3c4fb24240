"""Learn the style of a group of paintings, paint it onto photographs."""
