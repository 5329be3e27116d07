"""The same key chooses the same class on the screen and in the plain dialogue, and both show it."""

from __future__ import annotations

import io

import pytest

from tests.tui.harness import open_labelling, prompt_text, screen_text
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.classes import MergeClass
from vaetui.engine.config import Config, NetworkConfig
from vaetui.tui.plain.dialogue import PlainDialogue
from vaetui.tui.presenters.class_colours import CLASS_MARK

DIGITS = "0123456789"


def create_session(names: tuple[str, ...], merged_id: int | None) -> ScriptedSession:
    """Create a session with one cluster per digit key, whose class `merged_id` was merged in the round before."""
    session = ScriptedSession(clusters=10, config=Config(network=NetworkConfig(classes=len(names))), classes=names)
    if merged_id is not None:
        session.edit_classes(MergeClass(merged_id, (merged_id + 1) % len(names)))
        session.close_round()
        session.current_phase = "labelling"
    return session


def answer_in_plain(session: ScriptedSession, digit: str) -> tuple[str, list[str]]:
    """Type a digit for the first cluster; return the confirmation or the refusal, and all lines."""
    lines: list[str] = []
    PlainDialogue(session, io.StringIO(f"{digit}\nundo\n"), lines.append).run()
    (message,) = [line for line in lines if line.startswith(("Saved: ", f"Digit {digit} "))]
    return message, lines


@pytest.mark.parametrize(
    ("names", "merged_id", "expected", "plain_line", "screen_line"),
    [
        (("1", "2", "3"), None, {"1": "1", "2": "2", "3": "3"}, "Keys: 1-3", "1-3: class"),
        (tuple(DIGITS), None, dict(zip(DIGITS, DIGITS, strict=True)), "Keys: 0-9", "0-9: class"),
        (("cat", "1", "dog"), None, {"0": "cat", "1": "1", "2": "dog"}, "Keys: 0 cat  1  2 dog", "0 cat  1  2 dog"),
        (("10", "07", "7"), None, {"0": "10", "1": "07", "7": "7"}, "Keys: 0 10  1 07  7", "0 10  1 07  7"),
        (
            tuple("abcdefghijklmnopqrstuvwxyz"),
            None,
            dict(zip(DIGITS, "abcdefghij", strict=True)),
            "Keys: 0 a  1 b  2 c  3 d  4 e  5 f  6 g  7 h  8 i  9 j  others by name",
            "/ others  0 a  1 b  2 c  3 d  4 e  5 f  6 g  7 h  8 i  9 j",
        ),
        (("2", "1", "0", "owl"), 1, {"0": "0", "2": "2", "3": "owl"}, "Keys: 0  2  3 owl", "0  2  3 owl"),
        (("0", "1", "2"), 1, {"0": "0", "2": "2"}, "Keys: 0, 2", "0, 2: class"),
    ],
)
async def test_digit_chooses_the_same_class_in_both_front_ends(
    names: tuple[str, ...], merged_id: int | None, expected: dict[str, str], plain_line: str, screen_line: str
) -> None:
    session = create_session(names, merged_id)
    async with open_labelling(create_session(names, merged_id), (120, 40)) as (pilot, screen):
        await pilot.press("escape")  # from the notes with which a round begins to the keys
        assert screen_line in screen_text(pilot.app)
        for digit in DIGITS:
            plain_message, plain_lines = answer_in_plain(session, digit)
            assert plain_line in plain_lines
            await pilot.press(digit, "enter")
            screen_message = prompt_text(screen)
            if digit in expected:
                assert plain_message == f'Saved: cluster 0 = "{expected[digit]}"'
                assert f'= "{expected[digit]}"' in screen_message
            else:
                assert plain_message.startswith(f"Digit {digit} has no class (use ")
                await pilot.press(digit)
                assert plain_message.partition(")")[0] in prompt_text(screen)
        text = " ".join(screen_text(pilot.app).split())
        for index, name in enumerate(expected.values()):
            assert f" {index} {CLASS_MARK} {name} " in text


async def test_class_renamed_to_a_taken_digit_is_reported_and_chosen_by_name() -> None:
    session = create_session(("cat", "dog", "cow"), None)
    lines: list[str] = []
    typed = 'rename cow as 1\n1\n"1"\n2\nadd 7\n7\n'
    PlainDialogue(session, io.StringIO(typed), lines.append).run()
    assert 'Renamed class "cow" to "1" (digit 2 in this round). u: undo' in lines
    assert "Keys: 0 cat  1 dog  2 1" in lines
    assert "Keys: 0 cat  1 dog  2 1  7" in lines
    saved = [line.partition("= ")[2] for line in lines if line.startswith("Saved: ")]
    assert saved == ['"dog"', '"1"', '"1"', '"7"']
