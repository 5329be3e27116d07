"""The error for problems that the user can fix, and text that is safe to print."""

MAX_MESSAGE_CHARS = 1_000
"""Most characters of a message that are shown: names and paths may come from an untrusted session."""


class UserError(Exception):
    """A problem that the user can fix. The message says what is wrong and what to do; the exit status is 2."""

    def __str__(self) -> str:
        """Return the message, safe to print."""
        return make_printable(super().__str__())


def make_printable(text: str) -> str:
    """Return text with control characters escaped, cut to MAX_MESSAGE_CHARS characters, so it is safe to print."""
    escaped = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text[:MAX_MESSAGE_CHARS])
    return escaped if len(text) <= MAX_MESSAGE_CHARS else f"{escaped} …"
