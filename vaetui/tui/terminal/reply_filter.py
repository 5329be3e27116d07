"""Separate the replies of the terminal from the keys of a person, in the text that the terminal sends."""

from __future__ import annotations

import re

ESCAPE = "\x1b"
ESCAPE_DELAY_S = 0.1
"""Seconds after which an escape character that nothing follows is the Escape key."""
REPLY_DELAY_S = 3.0
"""Seconds to wait for the rest of a sequence that a slow line has split; longer than the slowest reply seen (2.5 s)."""
BARE_REPLY_DELAY_S = 0.05
"""Seconds to wait for the rest of what may be a reply without its escape character."""
MAX_REPLY_CHARS = 4_096
"""Length above which a text is no reply."""
PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"
"""Sequences around text that a terminal pastes."""

_CONTROL_SEQUENCE = re.compile(r"[0-?]*[ -/]*[@-~]")
_PARTIAL_CONTROL_SEQUENCE = re.compile(r"[0-?]*[ -/]*\Z")
_INPUT_SEQUENCE = re.compile(
    r"[\d;:]*[A-HPQSZ~u]|\d+[\^$@]|[a-d]|\[[A-E]"  # keys of all terminals, and of the Linux console
    r"|<[-\d;]+[mM]|[IO]"  # mouse, focus
    r"|\?\d+;\d+\$y|48;[\d;:]+t"  # modes and sizes that Textual asks for
)
"""Control sequences after "ESC [" that Textual reads; all others are replies."""
_STRING_STARTS = {
    "P": re.compile(r"[\d;]*[>!$+=?]"),  # device control string: version, settings, capabilities
    "]": re.compile(r"\d+;|[lL]"),  # operating system command: colours, titles
    "_": re.compile(r"G"),  # application command: graphics of kitty
}
"""How the replies begin that end with a string terminator, by the character after the escape character."""
_PARTIAL_STRING_STARTS = {"P": re.compile(r"[\d;]*\Z"), "]": re.compile(r"\d*\Z"), "_": re.compile(r"\Z")}
_STRING_END = re.compile(r"\x1b\\|\x07|\x9c")
_BARE_STRING_END = re.compile(r"\x1b?\\|\x07|\x9c")
_BARE_CONTROL_SEQUENCE = re.compile(r"[?>=<][\d;:]*\$?[a-zA-Z]|\d+(?:;\d+)+[a-zA-Z]")
_PARTIAL_BARE_CONTROL_SEQUENCE = re.compile(r"[?>=<]?[\d;:]*\$?\Z")
_BARE_STRING_STARTS = {
    "P": re.compile(r">\||!\||[01][$+]r"),
    "]": re.compile(r"\d+;(?:\d+;)?rgb"),
    "_": re.compile(r"Gi="),
}
"""How replies begin whose escape character a slow line has separated from them, so that it was the Escape key."""
_PARTIAL_BARE_STRING_STARTS = {
    "P": re.compile(r"(?:[>!]|[01][$+]?)?\Z"),
    "]": re.compile(r"\d*(?:;\d*)?(?:;(?:r|rg)?)?\Z"),
    "_": re.compile(r"(?:G|Gi)?\Z"),
}
_TAIL = re.compile(r"[!-~ ]*?\x1b\\|\d*(?:;\d+)+[a-zA-Z]")
"""The end of a reply whose beginning was discarded with other input before the program started."""


class ReplyFilter:
    """Splits the input into keys, sequences that Textual reads, and replies, which it removes.

    A terminal sends a reply in one piece, which a slow line may split anywhere: the rules look at the characters, and
    at the time only for a sequence that is incomplete. No key of a person is removed, whatever keys arrive together.
    """

    def __init__(self) -> None:
        """Start without pending characters."""
        self.deadline_s: float | None = None
        """When `tick` will release the pending characters; None if there are none."""
        self._pending = ""
        self._is_pasting = self._is_after_escape = False

    def feed(self, text: str, time_s: float) -> list[str]:
        """Return the pieces of input that are complete after `text` arrived.

        A piece is a character, a sequence for Textual, pasted text between `PASTE_START` and `PASTE_END`, an escape
        character alone (the Escape key), or one with another character (Escape and that key, or Alt and that key).
        """
        pieces = list[str]()
        if not self._pending and not self._is_pasting and (tail := _TAIL.match(text)):
            text = text[tail.end() :]
        self._pending += text
        while self._pending and (piece := self._take_piece()) is not None:
            pieces += [piece] if piece else []
        self.deadline_s = time_s + self._find_delay() if self._pending else None
        return pieces

    def tick(self, time_s: float) -> list[str]:
        """Return the pending characters as keys if nothing followed them in time; part of a reply is removed."""
        if self.deadline_s is None or time_s < self.deadline_s:
            return []
        pending, self._pending, self.deadline_s = self._pending, "", None
        if self._is_pasting:
            self._is_pasting = False
            return [pending + PASTE_END]
        self._is_after_escape = pending == ESCAPE
        if pending == ESCAPE:
            return [ESCAPE]
        return [] if _is_part_of_reply(pending) else _split_keys(pending)

    def _take_piece(self) -> str | None:
        """Remove and return the first piece of the pending characters; "" for a reply, None if it is incomplete."""
        if self._is_pasting:
            return self._take_pasted_text()
        has_escape = self._pending[0] == ESCAPE
        introducer, content = _split_introducer(self._pending)
        is_bare = not has_escape and not self._is_after_escape
        if introducer == "[":
            return self._take_bare_control_sequence(content) if is_bare else self._take_control_sequence(content)
        if introducer in _STRING_STARTS:
            return self._take_string(introducer, content, is_bare)
        if has_escape and (not introducer or (introducer == "O" and not content)):
            return None
        if not has_escape or introducer == ESCAPE:
            return self._take(1)
        return self._take(3 if introducer == "O" else 2)  # a function key, or Escape or Alt and a key

    def _take_control_sequence(self, content: str) -> str | None:
        match = _INPUT_SEQUENCE.match(content) or _CONTROL_SEQUENCE.match(content)
        if match is None:
            # Not a sequence unless it goes on: the keys of a person.
            return None if _PARTIAL_CONTROL_SEQUENCE.match(content) else self._take_introducer()
        if content == "[":
            return None  # may become a function key of the Linux console
        offset = len(self._pending) - len(content)
        self._take(offset + match.end())
        if not _INPUT_SEQUENCE.fullmatch(match[0]):
            return ""
        sequence = f"{ESCAPE}[{match[0]}"
        if sequence == PASTE_START:
            self._is_pasting, self._pending = True, PASTE_START + self._pending
            return self._take_pasted_text()
        return sequence

    def _take_bare_control_sequence(self, content: str) -> str | None:
        if match := _BARE_CONTROL_SEQUENCE.match(content):
            self._take(1 + match.end())
            return ""
        return None if _PARTIAL_BARE_CONTROL_SEQUENCE.match(content) else self._take_introducer()

    def _take_string(self, introducer: str, content: str, is_bare: bool) -> str | None:
        starts = _BARE_STRING_STARTS if is_bare else _STRING_STARTS
        partial_starts = _PARTIAL_BARE_STRING_STARTS if is_bare else _PARTIAL_STRING_STARTS
        if not starts[introducer].match(content):
            return None if partial_starts[introducer].match(content) else self._take_introducer()
        offset = len(self._pending) - len(content)
        if end := (_BARE_STRING_END if is_bare or self._pending[0] != ESCAPE else _STRING_END).search(content):
            self._take(offset + end.end())
            return ""
        # A control character ends a string that was cut; an escape character may begin its terminator.
        control = re.search(r"[\x00-\x1a\x1c-\x1f]|\x1b(?=[^\\])", content)
        if control or len(content) > MAX_REPLY_CHARS:
            self._take(offset + (control.start() if control else len(content)))
            return ""
        return None

    def _take_introducer(self) -> str:
        """Take the key that looked like the beginning of a reply, with its escape character."""
        return self._take(2 if self._pending[0] == ESCAPE else 1)

    def _take_pasted_text(self) -> str | None:
        """Take pasted text with its start and end; Textual would take escape sequences in it for keys."""
        end = self._pending.find(PASTE_END)
        if end < 0:
            return None
        self._is_pasting = False
        return self._take(end + len(PASTE_END))

    def _take(self, count: int) -> str:
        text, self._pending = self._pending[:count], self._pending[count:]
        self._is_after_escape = False
        return text

    def _find_delay(self) -> float:
        if self._pending in (ESCAPE, f"{ESCAPE}O") and not self._is_pasting:
            return ESCAPE_DELAY_S
        is_certain = self._is_pasting or self._is_after_escape or self._pending[0] == ESCAPE
        return REPLY_DELAY_S if is_certain or _is_part_of_reply(self._pending) else BARE_REPLY_DELAY_S


def _is_part_of_reply(text: str) -> bool:
    """Return whether an incomplete text is part of a reply, and not keys of a person that look alike so far."""
    introducer, content = _split_introducer(text)
    has_escape = text.startswith(ESCAPE)
    if introducer in _STRING_STARTS:
        return (_STRING_STARTS if has_escape else _BARE_STRING_STARTS)[introducer].match(content) is not None
    return len(content) > 1 and (has_escape or content[0] in "?><=" or ";" in content)


def _split_introducer(text: str) -> tuple[str, str]:
    """Return the first character after an escape character, if there is one, and the rest."""
    start = 1 if text.startswith(ESCAPE) else 0
    return text[start : start + 1], text[start + 1 :]


def _split_keys(text: str) -> list[str]:
    """Return the characters of a text as keys, the first two together if they begin with an escape character."""
    return [text[:2], *text[2:]] if text.startswith(ESCAPE) else list(text)
