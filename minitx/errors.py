"""The one error that is meant for a person at a terminal: its message is all that is shown."""


class UserError(Exception):
    """Something given from outside is not right; the message says what was given and expected."""


def missing_extra(extra: str, packages: str) -> ImportError:
    """The error for a package that is not installed, with the command that installs it."""
    return ImportError(f'this needs {packages}: pip install "minitx[{extra}]"')
