"""Run the app in a scripted terminal: replies of the terminal label nothing, and a key costs few bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from tests.terminal import REPLIES, ScriptedTerminal
from tests.tui.terminal_keys import process_for, type_keys
from tests.watching import has_exited

StartApp: TypeAlias = Callable[..., ScriptedTerminal]
LETTERS_PATTERN = re.compile(r"[-+=*#%]{4}")
"""Part of a picture drawn as letters."""
KITTY_PREFIX = b"\x1b_G"
SIXEL_PATTERN = re.compile(rb"\x1bP[\d;]*q")
KITTY_IMAGE_SENT = b"a=t,"
"""The beginning of a kitty image."""
KITTY_IMAGE_DELETED = b"a=d,d=I,i="
"""The command that deletes a kitty image."""
TEXTUAL_QUERIES = (b"\x1b[?2026$p", b"\x1b[?2048$p")
"""Queries of Textual itself, which also reads the replies."""
LATE_REPLIES = b"\x1b[?62;4;22c\x1bP>|xterm(370)\x1b\\\x1b_Gi=31;OK\x1b\\\x1bP1$r48:2::1:2:3m\x1b\\\x1b[6;20;10t"
"""Replies to the queries of another program."""
BARE_REPLIES = LATE_REPLIES.replace(b"\x1b", b"")
"""The same without escape characters, which a slow line may separate: plain letters and digits."""
READY_TEXTS = {"labelling": "class?", "training": "img/s", "finished": "vaetui export"}
"""Text on the screen of each phase once it is complete."""
HELP_TEXT = "Save and leave"
"""Text of the help screen."""
READING_TEXT = "Picture 1: what do you read?"
"""Text of the reading test."""
MAX_LEAVE_ATTEMPTS = 12

slow = pytest.mark.slow


def replies_of(name: bytes) -> dict[bytes, bytes]:
    """Return the replies of a terminal with that name and version."""
    return {**REPLIES, b"\x1b[>q": b"\x1bP>|" + name + b"\x1b\\"}


@pytest.fixture
def start_app() -> Iterator[StartApp]:
    """A function that starts the app in a terminal; every terminal is left by Esc and q at the end."""
    terminals: list[ScriptedTerminal] = []

    def start(mode: str = "auto", phase: str = "labelling", **terminal_options: Any) -> ScriptedTerminal:
        terminal = ScriptedTerminal(["-m", "tests.tui.scripted_app", mode, phase], **terminal_options)
        terminals.append(terminal)
        terminal.wait_for_text(READY_TEXTS[phase])
        if phase != "training":
            terminal.wait_until_quiet()
        return terminal

    yield start
    for terminal in terminals:
        if terminal.status is None:
            leave(terminal)


def leave(terminal: ScriptedTerminal) -> None:
    """Leave by Esc and q; on a busy machine Textual may read both at once as Alt+q, so try again."""
    for _ in range(MAX_LEAVE_ATTEMPTS):
        terminal.send(b"\x1b")
        terminal.wait_until_quiet() if "img/s" not in terminal.text() else process_for(terminal, 0.3)
        terminal.send(b"q")
        try:
            terminal.wait_until(lambda: has_exited(terminal.pid), 10)
        except TimeoutError:
            if has_exited(terminal.pid):
                break
        else:
            break
    assert terminal.close() == 0


def count_answered(terminal: ScriptedTerminal) -> int:
    """Return the number of answered clusters in the header."""
    return int(terminal.text().split("answered")[1].split("/")[0])


@pytest.mark.parametrize("reply_delay_s", [0.005, *(pytest.param(delay, marks=slow) for delay in (0.150, 0.900, 2.5))])
def test_replies_to_the_probe_are_used_and_label_nothing(start_app: StartApp, reply_delay_s: float) -> None:
    terminal = start_app(reply_delay_s=reply_delay_s, replies=replies_of(b"kitty(0.31.0)"))
    assert terminal.queries[:5] == [b"\x1b[>q", b"\x1bP$qm\x1b\\", b"\x1b[16t", b"\x1b]11;?\x1b\\", b"\x1b[c"]
    assert count_answered(terminal) == 0
    assert b"\x1b[38;2;" in terminal.output, "the replies proved 24-bit colours"
    assert KITTY_PREFIX in terminal.output
    type_keys(terminal, "9\r")
    terminal.wait_until(lambda: count_answered(terminal) == 1)


@slow
def test_replies_after_the_probe_timed_out_label_nothing(start_app: StartApp) -> None:
    terminal = start_app(reply_delay_s=3.5, replies=replies_of(b"kitty(0.31.0)"))
    assert "4 / 16" not in terminal.text()
    assert count_answered(terminal) == 0
    assert "answers   0" in terminal.text()
    assert KITTY_PREFIX not in terminal.output
    assert "▀" in terminal.text()
    type_keys(terminal, "9\r")
    terminal.wait_until(lambda: count_answered(terminal) == 1)


@pytest.mark.parametrize(
    ("mode", "name", "environment", "drawn_mode"),
    [
        ("auto", b"kitty(0.31.0)", {}, "kitty"),
        ("auto", b"XTerm(379)", {}, "half"),
        *(
            pytest.param(*parameters, marks=slow)
            for parameters in (
                ("auto", b"kitty(0.26.5)", {}, "kitty"),
                ("auto", b"kitty(0.19.3)", {}, "half"),
                ("auto", b"ghostty 1.1.2", {}, "kitty"),
                ("auto", b"kitty(0.31.0)", {"TMUX": "socket,1,0"}, "half"),
                ("auto", b"kitty(0.31.0)", {"TERM": "screen-256color"}, "half"),
                ("auto", b"kitty(0.31.0)", {"NO_COLOR": "1"}, "half"),
                ("half", b"kitty(0.31.0)", {}, "half"),
                ("ascii", b"kitty(0.31.0)", {}, "ascii"),
                ("kitty", b"kitty(0.26.5)", {"TMUX": "socket,1,0"}, "kitty"),
                ("sixel", b"", {}, "sixel"),
            )
        ),
    ],
)
def test_picture_mode_follows_the_terminal_unless_it_is_forced(
    start_app: StartApp, mode: str, name: bytes, environment: dict[str, str], drawn_mode: str
) -> None:
    terminal = start_app(mode, replies=replies_of(name), environment=environment)

    def find_drawn_modes() -> list[str]:
        is_drawn = {
            "half": "▀" in terminal.text(),
            "ascii": "@" in terminal.text(),
            "kitty": KITTY_PREFIX in terminal.output,
            "sixel": SIXEL_PATTERN.search(terminal.output) is not None,
        }
        return [mode for mode, drawn in is_drawn.items() if drawn]

    terminal.wait_until(lambda: find_drawn_modes() != [])  # images come after the text
    assert find_drawn_modes() == [drawn_mode]


@pytest.mark.parametrize(
    ("queries", "environment"),
    [
        ([b"\x1b]11;?\x1b\\", b"\x1b[c"], {"TERM": "tmux-256color"}),
        pytest.param([], {"STY": "1.pts-0"}, marks=slow),
        pytest.param([], {"TERM": "linux"}, marks=slow),
    ],
)
def test_terminal_receives_only_queries_that_it_can_answer(
    start_app: StartApp, queries: list[bytes], environment: dict[str, str]
) -> None:
    terminal = start_app(environment=environment)
    assert [query for query in terminal.queries if query not in TEXTUAL_QUERIES] == queries


@pytest.mark.parametrize(
    ("burst", "chunk_bytes"),
    [
        pytest.param(BARE_REPLIES + LATE_REPLIES, 1, id="both-1"),
        pytest.param(BARE_REPLIES + LATE_REPLIES, 1000, id="both-1000", marks=slow),
        pytest.param(LATE_REPLIES, 1, id="late-1", marks=slow),
        pytest.param(LATE_REPLIES, 1000, id="late-1000", marks=slow),
        pytest.param(BARE_REPLIES, 1, id="bare-1", marks=slow),
        pytest.param(BARE_REPLIES, 1000, id="bare-1000", marks=slow),
    ],
)
def test_late_replies_while_labelling_label_nothing(start_app: StartApp, burst: bytes, chunk_bytes: int) -> None:
    terminal = start_app("half")
    for start in range(0, len(burst), chunk_bytes):
        terminal.send(burst[start : start + chunk_bytes])
    terminal.wait_until_quiet()
    assert count_answered(terminal) == 0
    assert "answers   0" in terminal.text()
    terminal.send(b"38")
    terminal.wait_until(lambda: count_answered(terminal) == 1)


@pytest.mark.parametrize(
    ("burst", "answers"),
    [
        (b"/3\r\rs3\r", ["((0,), ClassAnswer(class_id=3, confidence=1.0))", "((1,), Split(parts=3))"]),
        (b"/nothing\r\r\x1b", []),
        *(
            pytest.param(burst, answers, marks=slow)
            for burst, answers in (
                (b"9\x1b4\r", ["((0,), ClassAnswer(class_id=4, confidence=1.0))"]),
                (b"/\r\r\x1b[B\x1b[A\x1b", []),
                (b"/\x1b[200~7\r8\r\x1b[201~\r\r", []),
                (b"/\x1b[200~7\x1b[201~\r5", ["((0,), ClassAnswer(class_id=7, confidence=0.5))"]),
                (b"\x1b[200~7\r8\rx\x1b[201~", []),
                (b"mc\x1b/2\r" + LATE_REPLIES + b"8", ["((0,), ClassAnswer(class_id=2, confidence=0.8))"]),
                (
                    b"nn" + LATE_REPLIES + b"x" + BARE_REPLIES + b"\t1\r",
                    [
                        "((2,), Unreadable())",
                        "((4,), ClassAnswer(class_id=1, confidence=1.0))",
                    ],
                ),
            )
        ),
    ],
)
def test_keys_in_one_burst_act_as_typed_one_by_one(start_app: StartApp, burst: bytes, answers: list[str]) -> None:
    terminal = start_app("half")
    terminal.send(burst)
    if answers:
        splits = sum("Split" in answer for answer in answers)
        terminal.wait_until(lambda: count_answered(terminal) == len(answers) - splits)
    terminal.wait_until_quiet(1.0)
    leave(terminal)
    output = terminal.output.decode()
    assert output[output.rindex("answers:") :].splitlines()[0] == " ".join(["answers:", *answers])


@slow
def test_fast_typist_loses_no_key(start_app: StartApp) -> None:
    terminal = start_app("half")
    type_keys(terminal, "9\r8736x2\r")
    terminal.wait_until(lambda: count_answered(terminal) == 5)


@pytest.mark.parametrize(
    ("phase", "burst"),
    [
        pytest.param("training", BARE_REPLIES + LATE_REPLIES, id="training-both"),
        pytest.param("training", LATE_REPLIES, id="training-late", marks=slow),
        pytest.param("training", BARE_REPLIES, id="training-bare", marks=slow),
        pytest.param("finished", BARE_REPLIES + LATE_REPLIES, id="finished-both", marks=slow),
        pytest.param("finished", LATE_REPLIES, id="finished-late", marks=slow),
        pytest.param("finished", BARE_REPLIES, id="finished-bare", marks=slow),
    ],
)
def test_late_replies_on_other_screens_do_nothing_and_keys_work(start_app: StartApp, phase: str, burst: bytes) -> None:
    terminal = start_app("half", phase)
    terminal.send(burst)
    process_for(terminal, 0.3)
    assert READY_TEXTS[phase] in terminal.text()
    type_keys(terminal, "?")
    terminal.wait_for_text(HELP_TEXT)
    terminal.send(burst)
    process_for(terminal, 0.3)
    assert HELP_TEXT in terminal.text()
    terminal.send(burst + b"q" + burst)
    terminal.wait_until(lambda: HELP_TEXT not in terminal.text())
    process_for(terminal, 0.3)
    if phase == "training":
        assert "paused" not in terminal.text()
    leave(terminal)
    output = terminal.output.decode()
    calls = output[output.rindex("calls:") :].splitlines()[0]
    assert re.sub(r" least_sure_images \d+ \d+", "", calls) == "calls: advance"


def test_training_can_be_paused_resumed_and_interrupted_by_the_reading_test(start_app: StartApp) -> None:
    terminal = start_app("half", "training")
    type_keys(terminal, " ")
    terminal.wait_for_text("paused")
    type_keys(terminal, " ")
    terminal.wait_until(lambda: "paused" not in terminal.text())
    type_keys(terminal, "t")
    terminal.wait_for_text(READING_TEXT)
    type_keys(terminal, "7x\x1b")
    terminal.wait_for_text("img/s")
    process_for(terminal, 0.3)  # the next key must not be read as Alt and this key


@slow
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (250, 80)])
def test_key_costs_few_bytes(start_app: StartApp, size: tuple[int, int], capsys: pytest.CaptureFixture[str]) -> None:
    terminal = start_app(size=size)  # with 24-bit colours, which cost most
    terminal.wait_until_idle()
    first_screen_bytes, costs = terminal.received_bytes, dict[str, int]()

    def measure(name: str, keys: str) -> None:
        for key in keys[:-1]:
            terminal.send(key.encode())
            terminal.wait_until_idle()
        before = terminal.received_bytes
        terminal.send(keys[-1].encode())
        terminal.wait_until_idle()
        costs[name] = terminal.received_bytes - before

    for name, keys in (
        *(("right", "l"), ("class", "9"), ("certain", "\r"), ("random members", "m"), ("unreadable", "x")),
        *(("undo", "u"), ("redo", "U"), ("down", "j"), ("next", "n"), ("previous", "p"), ("one-key mode", "a")),
        *(("one key", "5"), ("less certain", "a-"), ("split prompt", "s"), ("split", "\r"), ("first part", "3\r")),
        *(("split undone", "uu"), ("16 more parts", "s4\rs4\rs4\rs4\rs4\r"), ("other page", "h" * 2), ("help", "?")),
        *(("back", "?"), ("letters", "i"), ("half-blocks again", "iii"), ("train prompt", "g")),
    ):
        measure(name, keys)
    with capsys.disabled():
        print(f"\n{size[0]}x{size[1]}: first screen {first_screen_bytes:,} bytes, then {costs}")
    assert count_answered(terminal) > 1
    assert first_screen_bytes <= 150_000 or size[0] > 120
    # These repaint all pictures of the screen, or all thumbnails, which are smaller when there are more after a split;
    # the others repaint the pictures of one cluster.
    repaints = ("back", "half-blocks again", "letters", "split", "split undone")
    assert max(costs.pop(name) for name in repaints) <= first_screen_bytes
    assert max(costs.values()) <= 12_000 or size[0] > 120
    # A large terminal shows the focused picture in four times the cells, and 24 members.
    assert max(costs.values()) <= 40_000


@slow
def test_kitty_images_are_deleted_when_they_are_replaced(start_app: StartApp) -> None:
    terminal = start_app("kitty", replies=replies_of(b"XTerm(379)"))
    assert terminal.output.count(KITTY_IMAGE_SENT) >= 7
    type_keys(terminal, "l")
    terminal.wait_until_quiet()
    assert terminal.output.count(KITTY_IMAGE_DELETED) >= 7
    type_keys(terminal, "i")
    terminal.wait_for_text("Picture mode: half-blocks")
    terminal.wait_until_quiet()
    assert terminal.output.count(KITTY_IMAGE_SENT) == terminal.output.count(KITTY_IMAGE_DELETED)
    assert count_answered(terminal) == 0


@pytest.mark.parametrize(
    ("phase", "first_mode"),
    [
        ("labelling", "half"),
        *(
            pytest.param(phase, mode, marks=slow)
            for phase in ("labelling", "training")
            for mode in ("half", "ascii", "sixel", "kitty")
            if (phase, mode) != ("labelling", "half")
        ),
    ],
)
def test_key_switches_through_all_picture_modes_and_names_them(
    start_app: StartApp, phase: str, first_mode: str
) -> None:
    terminal = start_app(first_mode, phase, size=(100, 30), replies=replies_of(b"WezTerm 20240203-110809-5046fc22"))
    modes = ["half-blocks", "ASCII", "sixel", "kitty graphics"]
    index = ["half", "ascii", "sixel", "kitty"].index(first_mode)
    for mode in [*modes[index + 1 :], *modes[: index + 1], *modes[index + 1 :]]:
        output_start = len(terminal.output)
        type_keys(terminal, "i")
        terminal.wait_for_text(f"Picture mode: {mode}")
        if mode == "half-blocks":
            terminal.wait_until(lambda: LETTERS_PATTERN.search(terminal.text()) is None)
        elif mode == "ASCII":
            terminal.wait_until(lambda: LETTERS_PATTERN.search(terminal.text()) is not None)
        elif mode == "sixel":
            terminal.wait_until(lambda start=output_start: SIXEL_PATTERN.search(terminal.output, start) is not None)  # type: ignore[misc]
        else:
            terminal.wait_until(lambda start=output_start: terminal.output.find(KITTY_IMAGE_SENT, start) > 0)  # type: ignore[misc]
    assert terminal.output.count(KITTY_IMAGE_SENT) >= terminal.output.count(KITTY_IMAGE_DELETED) > 0


@slow
def test_picture_mode_switched_in_the_reading_test_is_kept_afterwards(start_app: StartApp) -> None:
    terminal = start_app("half", "training")
    type_keys(terminal, "t")
    terminal.wait_for_text(READING_TEXT)
    type_keys(terminal, "i")
    terminal.wait_for_text("Picture mode: ASCII")
    terminal.wait_until(lambda: LETTERS_PATTERN.search(terminal.text()) is not None)
    assert "▀" not in terminal.text()
    type_keys(terminal, "\x1b")
    terminal.wait_for_text("img/s")
    terminal.wait_until(lambda: LETTERS_PATTERN.search(terminal.text()) is not None)


@pytest.mark.parametrize(
    ("name", "attributes", "modes"),
    [
        (b"XTerm(379)", b"\x1b[?64;22c", ["ASCII", "half-blocks"]),
        (b"XTerm(379)", b"\x1b[?63;4;22c", ["ASCII", "sixel", "half-blocks"]),
        pytest.param(b"kitty(0.31.0)", b"\x1b[?62c", ["half-blocks", "ASCII", "kitty graphics"], marks=slow),
    ],
)
def test_key_offers_only_the_modes_that_the_terminal_has(
    start_app: StartApp, name: bytes, attributes: bytes, modes: list[str]
) -> None:
    terminal = start_app(replies={**replies_of(name), b"\x1b[c": attributes})
    for mode in [*modes, modes[0]]:
        type_keys(terminal, "i")
        terminal.wait_for_text(f"Picture mode: {mode}")
