"""In a real terminal: nothing that the terminal says labels an image, and a key costs few bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.terminal import REPLIES, ScriptedTerminal
from tests.tui.terminal_keys import process_for, type_keys

Start = Callable[..., ScriptedTerminal]
LETTERS = re.compile(r"[-+=*#%]{4}")
"""What is seen of a picture in letters."""
KITTY = b"\x1b_G"
"""How a picture of the kitty protocol begins."""
SIXEL = re.compile(rb"\x1bP[\d;]*q")
"""How a sixel picture begins."""
SENT = b"m=0,f=100"
"""The last piece of a picture that kitty is to keep."""
FREED = b"a=d,d=I,i="
"""What lets kitty forget one."""
TEXTUALS = (b"\x1b[?2026$p", b"\x1b[?2048$p")
"""What Textual asks, and knows to hear the answers of."""
LATE = b"\x1b[?62;4;22c\x1bP>|xterm(370)\x1b\\\x1b_Gi=31;OK\x1b\\\x1bP1$r48:2::1:2:3m\x1b\\\x1b[6;20;10t"
"""What a terminal may answer to questions of somebody else."""
BARE = LATE.replace(b"\x1b", b"")
"""The same where a slow line has torn the escape characters off: plain letters and digits."""


WAITS = {"labelling": "class?", "training": "img/s", "finished": "vaetui export"}
"""What is to be seen when the screen of a phase stands."""


def named(name: bytes) -> dict[bytes, bytes]:
    """Give the answers of a terminal of that name."""
    return {**REPLIES, b"\x1b[>q": b"\x1bP>|" + name + b"\x1b\\"}


@pytest.fixture
def start() -> Iterator[Start]:
    terminals: list[ScriptedTerminal] = []

    def begin(mode: str = "auto", phase: str = "labelling", **terminal_as: Any) -> ScriptedTerminal:
        terminal = ScriptedTerminal(["-m", "tests.tui.scripted_app", mode, phase], **terminal_as)
        terminals.append(terminal)
        terminal.wait_until(lambda: WAITS[phase] in terminal.text())
        if phase != "training":
            terminal.wait_until_quiet()
        return terminal

    yield begin
    for terminal in terminals:
        if terminal.status is None:
            terminal.send(b"\x1b")
            terminal.wait_until_quiet()
            terminal.send(b"q")
            assert terminal.close() == 0


def answered(terminal: ScriptedTerminal) -> int:
    """Read from the header how many centres are answered."""
    return int(terminal.text().split("answered")[1].split("/")[0])


@pytest.mark.parametrize("delay", [0.005, 0.150, 0.900, 2.5])
def test_answers_to_the_probe_label_nothing_and_are_believed(start: Start, delay: float) -> None:
    terminal = start(delay=delay, answers=named(b"kitty(0.31.0)"))
    assert terminal.queries[:4] == [b"\x1b[>q", b"\x1bP$qm\x1b\\", b"\x1b]11;?\x1b\\", b"\x1b[c"]
    assert "centre 0: class?  a digit" in terminal.text()
    assert answered(terminal) == 0
    assert b"\x1b[38;2;" in terminal.output, "the probe proved 24 bits of colour"
    assert KITTY in terminal.output
    type_keys(terminal, "9\r")
    terminal.wait_until(lambda: answered(terminal) == 1)


def test_answers_after_the_probe_has_given_up_label_nothing_either(start: Start) -> None:
    terminal = start(delay=3.5, answers=named(b"kitty(0.31.0)"))
    assert "4 / 16" not in terminal.text()
    assert answered(terminal) == 0
    assert "answers   0" in terminal.text()
    assert KITTY not in terminal.output
    assert "▀" in terminal.text()
    type_keys(terminal, "9\r")
    terminal.wait_until(lambda: answered(terminal) == 1)


@pytest.mark.parametrize(
    ("mode", "name", "variables", "drawn"),
    [
        ("auto", b"kitty(0.26.5)", {}, "half"),
        ("auto", b"kitty(0.31.0)", {}, "kitty"),
        ("auto", b"ghostty 1.1.2", {}, "kitty"),
        ("auto", b"XTerm(379)", {}, "half"),
        ("auto", b"kitty(0.31.0)", {"TMUX": "socket,1,0"}, "half"),
        ("auto", b"kitty(0.31.0)", {"TERM": "screen-256color"}, "half"),
        ("auto", b"kitty(0.31.0)", {"NO_COLOR": "1"}, "half"),
        ("half", b"kitty(0.31.0)", {}, "half"),
        ("ascii", b"kitty(0.31.0)", {}, "ascii"),
        ("kitty", b"kitty(0.26.5)", {"TMUX": "socket,1,0"}, "kitty"),
        ("sixel", b"", {}, "sixel"),
    ],
)
def test_what_is_known_by_name_is_used_and_what_is_forced_wins(
    start: Start, mode: str, name: bytes, variables: dict[str, str], drawn: str
) -> None:
    terminal = start(mode, answers=named(name), environment=variables)
    signs = {"half": "▀" in terminal.text(), "ascii": "@" in terminal.text()}
    signs |= {"kitty": KITTY in terminal.output, "sixel": SIXEL.search(terminal.output) is not None}
    assert [way for way, seen in signs.items() if seen] == [drawn]


@pytest.mark.parametrize(
    ("questions", "variables"),
    [([b"\x1b]11;?\x1b\\", b"\x1b[c"], {"TERM": "tmux-256color"}), ([], {"STY": "1.pts-0"}), ([], {"TERM": "linux"})],
)
def test_a_terminal_is_not_asked_what_it_cannot_answer(
    start: Start, questions: list[bytes], variables: dict[str, str]
) -> None:
    terminal = start(environment=variables)
    assert [one for one in terminal.queries if one not in TEXTUALS] == questions


@pytest.mark.parametrize("burst", [LATE, BARE, BARE + LATE], ids=["late", "bare", "both"])
@pytest.mark.parametrize("piece", [1, 1000])
def test_answers_that_come_while_labelling_label_nothing(start: Start, burst: bytes, piece: int) -> None:
    terminal = start("half")
    for place in range(0, len(burst), piece):
        terminal.send(burst[place : place + piece])
    terminal.wait_until_quiet()
    assert answered(terminal) == 0
    assert "answers   0" in terminal.text()
    terminal.send(b"\x1b")
    terminal.wait_until_quiet()
    type_keys(terminal, "38")
    terminal.wait_until(lambda: answered(terminal) == 1)


def test_a_fast_person_loses_no_key(start: Start) -> None:
    terminal = start("half")
    type_keys(terminal, "9\r8736x2\r")
    terminal.wait_until(lambda: answered(terminal) == 5)


@pytest.mark.parametrize("burst", [LATE, BARE, BARE + LATE], ids=["late", "bare", "both"])
@pytest.mark.parametrize("phase", ["training", "finished"])
def test_answers_on_other_screens_do_nothing_and_a_person_does(start: Start, phase: str, burst: bytes) -> None:
    terminal = start("half", phase)
    terminal.send(b"qto " + burst + b" otq?i")
    terminal.wait_for_text("keys came all at once, not from a person: dropped")
    terminal.send(b"\x1b")  # ends what the burst may have begun
    process_for(terminal, 0.3)
    type_keys(terminal, "?")
    terminal.wait_for_text("Save and leave the program")
    terminal.send(b"q" + burst + b"q")
    process_for(terminal, 0.3)
    assert "Save and leave the program" in terminal.text()
    terminal.send(b"\x1b")
    terminal.wait_until(lambda: "Save and leave the program" not in terminal.text())
    type_keys(terminal, "i")
    if phase == "training":
        terminal.wait_for_text("pictures: letters")
        assert "paused" not in terminal.text()
    type_keys(terminal, "q")
    assert terminal.close() == 0
    assert "calls: advance\r" in terminal.output.decode()


def test_a_person_pauses_goes_on_and_reads(start: Start) -> None:
    terminal = start("half", "training")
    type_keys(terminal, " ")
    terminal.wait_for_text("paused: space goes on")
    type_keys(terminal, " ")
    terminal.wait_until(lambda: "paused" not in terminal.text())
    type_keys(terminal, "t")
    terminal.wait_for_text("picture 1: what do you read?")
    type_keys(terminal, "7x\x1b")
    terminal.wait_for_text("img/s")
    process_for(terminal, 0.3)  # for the fixture, whose keys would else be one with this Esc


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (250, 80)])
def test_a_key_costs_few_bytes(start: Start, size: tuple[int, int], capsys: pytest.CaptureFixture[str]) -> None:
    terminal = start(size=size)  # with 24 bits of colour, which cost most
    terminal.wait_until_idle()
    first, costs = terminal.received_bytes, dict[str, int]()

    def cost(name: str, keys: str) -> None:
        for key in keys[:-1]:
            terminal.send(key.encode())
            terminal.wait_until_idle()
        before = terminal.received_bytes
        terminal.send(keys[-1].encode())
        terminal.wait_until_idle()
        costs[name] = terminal.received_bytes - before

    for name, keys in (
        *(("right", "l"), ("class", "9"), ("sure", "\r"), ("random members", "m"), ("unreadable", "x"), ("undo", "u")),
        *(("redo", "U"), ("down", "j"), ("next", "n"), ("previous", "p"), ("one-key mode", "a"), ("one key", "5")),
        *(("less sure", "a-"), ("split asks", "s"), ("split", "\r"), ("first part", "3\r"), ("split undone", "uu")),
        *(("sixteen parts more", "s4\rs4\rs4\rs4\rs4\r"), ("another page", "h" * 2), ("help", "?"), ("back", "?")),
        *(("letters", "i"), ("half-blocks again", "iii"), ("go asks", "g")),
    ):
        cost(name, keys)
    with capsys.disabled():
        print(f"\n{size[0]}x{size[1]}: first screen {first:,} bytes, then {costs}")
    assert answered(terminal) > 1
    assert first <= 150_000 or size[0] > 120
    # These paint all pictures of the screen anew, not those of one cluster.
    whole = max(costs.pop("back"), costs.pop("half-blocks again"), costs.pop("letters"))
    assert whole <= first
    assert max(costs.values()) <= 15_000 or size[0] > 120
    assert max(costs.values()) <= 30_000


def test_pictures_of_kitty_give_their_memory_back(start: Start) -> None:
    terminal = start("kitty")
    assert terminal.output.count(SENT) >= 7
    type_keys(terminal, "l")
    terminal.wait_until_quiet()
    assert terminal.output.count(FREED) >= 7
    type_keys(terminal, "i")
    terminal.wait_for_text("pictures: half-blocks")
    terminal.wait_until_quiet()
    assert terminal.output.count(SENT) == terminal.output.count(FREED)
    assert terminal.queries.count(b"\x1b[c") == 0
    assert answered(terminal) == 0


@pytest.mark.parametrize("forced", ["half", "ascii", "sixel", "kitty"])
@pytest.mark.parametrize("phase", ["labelling", "training"])
def test_a_key_goes_through_all_ways_of_drawing_and_says_which(start: Start, phase: str, forced: str) -> None:
    terminal = start(forced, phase, size=(100, 30))
    ways = ["half-blocks", "letters", "sixel", "kitty graphics"]
    at = ["half", "ascii", "sixel", "kitty"].index(forced)
    for way in [*ways[at + 1 :], *ways[: at + 1], *ways[at + 1 :]]:
        before = len(terminal.output)
        type_keys(terminal, "i")
        terminal.wait_for_text(f"pictures: {way}")
        if way in ("half-blocks", "letters"):
            terminal.wait_until(lambda lettered=way == "letters": bool(LETTERS.search(terminal.text())) is lettered)
        elif way == "sixel":
            terminal.wait_until(lambda start=before: SIXEL.search(terminal.output, start) is not None)
        else:
            terminal.wait_until(lambda start=before: terminal.output.find(SENT, start) > 0)
    assert terminal.output.count(SENT) >= terminal.output.count(FREED) > 0


def test_the_reading_test_changes_its_pictures_too(start: Start) -> None:
    terminal = start("half", "training")
    type_keys(terminal, "t")
    terminal.wait_for_text("picture 1: what do you read?")
    type_keys(terminal, "i")
    terminal.wait_for_text("pictures: letters")
    terminal.wait_until(lambda: LETTERS.search(terminal.text()) is not None)
    assert "▀" not in terminal.text()
    type_keys(terminal, "\x1b")
    terminal.wait_for_text("img/s")
    terminal.wait_until(lambda: LETTERS.search(terminal.text()) is not None)


def test_kitty_graphics_that_cannot_be_seen_are_told(start: Start) -> None:
    terminal = start("sixel", environment={"NO_COLOR": "1"})
    type_keys(terminal, "i")
    terminal.wait_for_text("unseen without true colours; i again")
