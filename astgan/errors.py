"""Failures that end a task with one line."""


class UserError(Exception):
  """A mistake of the user's, said in one line.

  The line names the field or the file and says what to do. The command
  line prints it without a traceback and ends with exit status 2. Names in it
  may hold anything: what cannot be printed is escaped.
  """

  def __str__(self) -> str:
    return "".join(
      c if c.isprintable() else c.encode("unicode_escape").decode()
      for c in super().__str__()
    )


class TrainingFailure(Exception):
  """A training that failed by itself, such as a collapsed one.

  The command line prints it without a traceback and ends with exit status 1.
  """
