"""The one error for what a person can mend, and text that is safe to print; it does not know who prints it."""

LONGEST = 1_000
"""Characters of a sentence that are shown: names and paths may come from a stranger's session."""


class Trouble(Exception):  # noqa: N818 (it is no error of the program)
    """Say in one sentence what is wrong and what to do; printed as it is, with exit status 2."""

    def __str__(self) -> str:
        """Give the sentence, safe to print."""
        return visible(super().__str__())


def visible(text: str) -> str:
    """Show text from a file instead of obeying it: control characters as escapes, and only so much of it."""
    shown = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text[:LONGEST])
    return shown if len(text) <= LONGEST else f"{shown} …"
