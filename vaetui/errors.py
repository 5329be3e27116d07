"""The error for problems that the user can fix, text that is safe to print, and counts with their nouns."""

import re

MAX_MESSAGE_CHARS = 1_000
"""Most characters of a message that are shown: names and paths may come from an untrusted session."""
UNPRINTABLE_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line separators, bidirectional overrides, and surrogates, which stand for bytes that are not
UTF-8. All other characters are harmless in a terminal; those without a glyph in this Python's Unicode version may be
new emoji."""


class UserError(Exception):
    """A problem that the user can fix. The message says what is wrong and what to do; the exit status is 2."""

    def __str__(self) -> str:
        """Return the message, safe to print."""
        return make_printable(super().__str__())


def is_printable_text(text: str) -> bool:
    """Return whether text is valid Unicode that can be printed within one line of a terminal.

    Unlike `str.isprintable`, this includes all spaces, and joiners, which scripts such as Hindi and emoji need.
    """
    return UNPRINTABLE_CHARACTER.search(text) is None


def make_printable(text: str) -> str:
    """Return text with unprintable characters escaped, cut to MAX_MESSAGE_CHARS characters, so it is safe to print."""
    escaped = UNPRINTABLE_CHARACTER.sub(lambda match: repr(match[0])[1:-1], text[:MAX_MESSAGE_CHARS])
    return escaped if len(text) <= MAX_MESSAGE_CHARS else f"{escaped} …"


def format_count(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun, such as "1 round", "2,000 rounds" or, with a `plural`, "2 classes"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
