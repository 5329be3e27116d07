"""Test that every key of a person passes the filter of the input, and no reply of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key, Paste

from vaetui.tui.terminal.input_parser import InputParser
from vaetui.tui.terminal.reply_filter import ESCAPE_DELAY_S, ReplyFilter

REPLIES = (
    "\x1b[?62;4;22c",
    "\x1b[?1;2c",
    "\x1b[>41;370;0c",
    "\x1bP>|xterm(370)\x1b\\",
    "\x1bP>|kitty(0.31.0)\x1b\\",
    "\x1bP1$r0;48:2::1:2:3m\x1b\\",
    "\x1bP0$r\x1b\\",
    "\x1bP1+r544e=787465726d\x1b\\",
    "\x1bP!|7E565445\x1b\\",
    "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
    "\x1b]11;rgb:0000/0000/0000\x07",
    "\x1b]4;1;rgb:9999/1212/3434\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
    "\x1b[6;20;10t",
    "\x1b[4;480;960t",
    "\x1b[8;24;80t",
    "\x1b[?1;0;256S",
    "\x1b[?1u",
    "\x1b[?0u",
    "\x1b[0n",
    "\x1b[12;40R",
    "\x1b[?997;1n",
)
"""Replies of terminals to the queries of this and other programs."""
KEYS = {
    **{key: key for key in "0123456789sxuUgamnpchjklzfoqieHMA:?,-+w "},
    **{"enter": "\r", "tab": "\t", "backspace": "\x7f", "ctrl+u": "\x15", "ctrl+n": "\x0e", "up": "\x1b[A"},
    **{"delete": "\x1b[3~", "pageup": "\x1b[5~", "home": "\x1b[H", "shift+tab": "\x1b[Z", "f1": "\x1bOP"},
    **{"á": "á", "猫": "猫"},
}
"""Keys and what a terminal sends for them."""
KEY_NAMES = {" ": "space", ":": "colon", "?": "question_mark", ",": "comma", "-": "minus", "+": "plus"}


class InputClock:
    """A parser and a clock: chunks of input arrive after gaps."""

    def __init__(self) -> None:
        self.time_s = 100.0
        self.keys: list[str] = []
        """The keys that the parser reports; those with an escape character as the two keys that they may be."""
        self.pasted: list[str] = []
        self._parser = InputParser(clock=lambda: self.time_s)

    def wait(self, seconds: float) -> None:
        """Let time pass; the parser is called when it asked to be."""
        end_s = self.time_s + seconds
        while (timeout_s := self._parser.timeout_s) is not None and self.time_s + timeout_s <= end_s:
            self.time_s += timeout_s + 1e-6
            self._report(list(self._parser.tick()))
        self.time_s = max(end_s, self.time_s)

    def receive(self, text: str) -> None:
        self._report(list(self._parser.feed(text)))

    def _report(self, messages: list[object]) -> None:
        for message in messages:
            if isinstance(message, Paste):
                self.pasted.append(message.text)
            elif isinstance(message, Key):
                is_pair = message.character is not None and len(message.character) == 2
                self.keys += ["escape", message.key.removeprefix("alt+")] if is_pair else [message.key]


def parse_chunks(*chunks: str, gap_s: float = 0.0) -> list[str]:
    clock = InputClock()
    for chunk in chunks:
        clock.receive(chunk)
        clock.wait(gap_s)
    clock.wait(10)
    return clock.keys


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("gap_s", [0.0, 0.02, 2.5])
def test_reply_that_is_split_anywhere_is_no_key(reply: str, gap_s: float) -> None:
    assert parse_chunks(reply, reply, "9") == ["9"]
    for cut in range(1, len(reply)):
        keys = parse_chunks(reply[:cut], reply[cut:], "9", gap_s=gap_s)
        # An escape character that nothing follows for long is the Escape key.
        is_escape = gap_s > ESCAPE_DELAY_S and reply[cut - 1] == "\x1b" and cut == 1
        assert keys == (["escape", "9"] if is_escape else ["9"]), cut


@pytest.mark.parametrize("reply", [reply for reply in REPLIES if reply not in ("\x1b[0n", "\x1bP0$r\x1b\\")])
def test_reply_without_its_escape_characters_is_no_key(reply: str) -> None:
    bare_reply = reply.replace("\x1b", "")
    assert parse_chunks(bare_reply, "9") == ["9"]
    assert parse_chunks(*bare_reply, "9", gap_s=0.001) == ["9"]


@pytest.mark.parametrize("tail", [";22c", "62;4;22c", "12345\x1b\\", "0;48:2::1:2:3m\x1b\\", "gb:0000/0000\x1b\\"])
def test_end_of_a_reply_whose_beginning_was_discarded_is_no_key(tail: str) -> None:
    assert parse_chunks(f"{tail}9", "5") == ["9", "5"]


@pytest.mark.parametrize("text", ["s3\r", "/thr\r", "9\x1b4\r", "cmmn", "\x1b\r", "ggx", "48", ":12\r", "s\x1bq"])
@pytest.mark.parametrize("gap_s", [0.0, 0.001, 0.02, 0.04, 0.2])
def test_keys_pass_at_any_speed(text: str, gap_s: float) -> None:
    names = {"\r": "enter", "\x1b": "escape", "/": "slash", **KEY_NAMES}
    assert parse_chunks(*text, gap_s=gap_s) == [names.get(character, character) for character in text]
    assert parse_chunks(text) == [names.get(character, character) for character in text]


@pytest.mark.parametrize("text", ["cat_Good P[1] x", "data[12].csv", "Pepper]", "a]11;b", "_Gecko", "P1x", "[?]", "[9"])
@pytest.mark.parametrize("gap_s", [0.0, 0.01, 0.08])
def test_text_that_looks_like_the_beginning_of_a_reply_is_typed_whole(text: str, gap_s: float) -> None:
    clock = InputClock()
    for chunk in text if gap_s else [text]:
        clock.receive(chunk)
        clock.wait(gap_s)
    clock.wait(10)
    assert len(clock.keys) == len(text)


def test_pasted_text_is_not_filtered_and_ends_even_if_it_is_split() -> None:
    text = "rgb \x1b[?62;4;22c [6;20;10t"
    for gap_s in (0.0, 0.01, 0.5):
        for cut in range(1, len(text) + 11):
            clock = InputClock()
            sequence = f"\x1b[200~{text}\x1b[201~9"
            clock.receive(sequence[: cut + 5])
            clock.wait(gap_s)
            clock.receive(sequence[cut + 5 :])
            clock.wait(10)
            assert clock.keys == ["9"], (gap_s, cut)
            assert clock.pasted == [text]


def test_paste_without_an_end_does_not_swallow_later_keys() -> None:
    assert parse_chunks("\x1b[200~cat", "9", gap_s=5) == ["9"]


@st.composite
def inputs(draw: st.DrawFn) -> tuple[list[tuple[float, str]], list[str]]:
    """Draw chunks of input, each with the gap before it, and the keys that are typed in them.

    Replies are cut at random, but not behind an escape character by a gap so long that it is the Escape key.
    """
    chunks: list[tuple[float, str]] = []
    typed: list[str] = []
    for _ in range(draw(st.integers(1, 12))):
        if draw(st.booleans()):
            key = draw(st.sampled_from([*KEYS, "escape"]))
            if key == "escape":
                chunks += [(draw(st.sampled_from([0.0, 0.01, 0.2])), "\x1b"), (0.2, "")]
            else:
                chunks.append((draw(st.sampled_from([0.0, 0.001, 0.01, 0.05, 0.3])), KEYS[key]))
            typed.append(KEY_NAMES.get(key, key))
        else:
            reply = draw(st.sampled_from(REPLIES))
            cuts = sorted(draw(st.sets(st.integers(2, len(reply) - 1), max_size=3)))
            gap = draw(st.sampled_from([0.0, 0.001, 0.04, 0.3, 2.5]))
            for start, end in zip([0, *cuts], [*cuts, len(reply)], strict=True):
                is_after_escape = start > 0 and reply[start - 1] == "\x1b"
                chunks.append((0.0 if is_after_escape else gap, reply[start:end]))
    return chunks, typed


@given(inputs())
def test_every_typed_key_acts_and_no_reply(case: tuple[list[tuple[float, str]], list[str]]) -> None:
    chunks, typed = case
    clock = InputClock()
    for gap_s, chunk in chunks:
        clock.wait(gap_s)
        if chunk:
            clock.receive(chunk)
    clock.wait(10)
    assert clock.keys == typed


@given(inputs())
def test_input_that_arrives_at_once_gives_the_same_keys(case: tuple[list[tuple[float, str]], list[str]]) -> None:
    chunks, typed = case
    assert parse_chunks("".join(chunk for _, chunk in chunks)) == typed


@given(st.text(alphabet="\x1b[]P_\\?>;:$+|Gi=09rgbcx\r\x07", max_size=30))
def test_any_input_leaves_no_key_waiting(text: str) -> None:
    reply_filter = ReplyFilter()
    reply_filter.feed(text, 0.0)
    for time_s in range(1, 10):
        reply_filter.tick(float(time_s) * 4)
    assert reply_filter.deadline_s is None
    assert reply_filter.feed("9", 100.0) == ["9"]
