"""The one error for what a person can mend, and text that is safe to print; it does not know who prints it."""

MAX_MESSAGE_CHARS = 1_000
"""Characters of a sentence that are shown: names and paths may come from a stranger's session."""


class UserError(Exception):
    """Say in one sentence what is wrong and what to do; printed as it is, with exit status 2."""

    def __str__(self) -> str:
        """Give the sentence, safe to print."""
        return sanitize(super().__str__())


def sanitize(text: str) -> str:
    """Show text from a file instead of obeying it: control characters as escapes, and only so much of it."""
    shown = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text[:MAX_MESSAGE_CHARS])
    return shown if len(text) <= MAX_MESSAGE_CHARS else f"{shown} …"
