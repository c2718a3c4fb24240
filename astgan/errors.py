"""The one exception that means: the user can mend this."""


class UserError(Exception):
  """A mistake of the user's, said in one line.

  The line names the field or the file and says how to mend it. The command
  line prints it without a traceback and ends with exit status 2.
  """
