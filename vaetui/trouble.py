"""The one error for what a person can mend; it does not know who prints it."""


class Trouble(Exception):  # noqa: N818 (it is no error of the program)
    """Say in one sentence what is wrong and what to do; printed as it is, with exit status 2."""
