"""Test the plain dialogue with a scripted session: what each typed line changes and prints."""

from __future__ import annotations

import io
from typing import cast

import pytest

from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.engine.classes import AddClass, ClassEdit, ClassList, MergeClass
from vaetui.engine.config import Config, NetworkConfig
from vaetui.errors import UserError
from vaetui.tui.plain.commands import COMMAND_HELP, parse_command
from vaetui.tui.plain.dialogue import PlainDialogue


def run_dialogue(session: ScriptedSession, typed: str) -> list[str]:
    """Run a dialogue with the typed text as input, and return the printed lines."""
    lines: list[str] = []
    PlainDialogue(session, io.StringIO(typed), lines.append).run()
    return lines


def answers(session: ScriptedSession) -> list[object]:
    return [answer for _, answer in session.answer_log]


def pet_session(clusters: int, *names: str) -> ScriptedSession:
    return ScriptedSession(clusters=clusters, config=Config(network=NetworkConfig(classes=len(names))), classes=names)


def test_classes_are_listed_and_can_be_typed_by_name() -> None:
    session = pet_session(3, "cat", "cat fish", "7")
    lines = run_dialogue(session, "cat fish 8\ncat\n7\n")
    assert "Keys: 0 cat  1 cat fish  7" in lines
    assert answers(session) == [ClassAnswer(1, 0.8), ClassAnswer(0), ClassAnswer(2)]
    assert 'Saved: cluster 0 = "cat fish", confidence 0.8' in lines


def test_class_edits_are_applied_and_undone_in_order() -> None:
    session = pet_session(4, "cat", "dog", "cow")
    lines = run_dialogue(
        session, "add owl\nowl 8\nrename cow as calf\nmerge cat into dog\ncat\ndog\nclasses\nu\nu\nu\nU\n"
    )
    assert any("owl" in line and "digit 3" in line for line in lines)
    assert 'Saved: cluster 0 = "owl", confidence 0.8' in lines
    assert any("cow" in line and "calf" in line for line in lines)
    with pytest.raises(UserError) as refusal:
        ClassList.from_names(("cat", "dog")).with_edit(AddClass(2, "owl")).with_edit(MergeClass(0, 1)).require_active(0)
    assert str(refusal.value) in lines, "an answer with a merged class is refused"
    assert "  no digit: cat, merged into dog" in lines
    assert "  digit 1: dog, 1 answer" in lines
    assert "  digit 3: owl, 1 answer" in lines
    assert sum(line.startswith("Undid: ") for line in lines) == 3
    assert sum(line.startswith("Redid: ") for line in lines) == 1
    assert session.classes.names == ("cat", "dog", "calf", "owl")
    assert answers(session) == [ClassAnswer(3, 0.8)]


def test_refused_class_edits_print_the_reason_and_change_nothing() -> None:
    session = pet_session(2, "cat", "dog")
    commands = ("add cat", f"add {'x' * 101}", "merge cat into dog", "rename 0 as dog")
    lines = run_dialogue(session, "".join(f"{command}\n" for command in commands))
    for command in commands:
        with pytest.raises(UserError) as refusal:
            session.classes.with_edit(cast(ClassEdit, parse_command(command, 4, session.classes, (0, 1))))
        assert str(refusal.value) in lines, command
    assert session.classes.names == ("cat", "dog")
    assert session.class_edits == []


def test_answers_are_recorded_and_the_next_cluster_is_shown() -> None:
    session = ScriptedSession(clusters=3)
    lines = run_dialogue(session, "7\n4 6\nx\n")
    assert answers(session) == [ClassAnswer(7), ClassAnswer(4, 0.6), Unreadable()]
    assert 'Saved: cluster 1 = "4", confidence 0.6' in lines
    assert any(line.startswith("Cluster 2: ") for line in lines)
    assert any(line.endswith("  g: continue training") for line in lines)


def test_pictures_are_printable_letters_that_fit_80_columns() -> None:
    lines = run_dialogue(ScriptedSession(clusters=1), "m\n")
    assert "Nearest members of cluster 0: 4" in lines
    assert all(character.isprintable() for line in lines for character in line)
    assert sum("@" in line or "#" in line for line in lines) > 10
    assert max(map(len, lines)) <= 80


def test_split_asks_for_its_parts_and_undo_removes_it() -> None:
    session = ScriptedSession(clusters=2)
    lines = run_dialogue(session, "s 3\n5\nc 0.2\n8\nu\nu\nu\nu\nU\n")
    saved = [line for line in lines if line.startswith("Saved: cluster ")]
    assert [line.split()[2] for line in saved] == ["0", "0.0", "0.2"]
    assert sum(line.startswith("Undid: ") for line in lines) == 3
    assert "Nothing to undo" in lines
    assert sum(line.startswith("Redid: ") for line in lines) == 1
    assert session.answer_log == [((0,), Split(3))]


def test_go_asks_for_confirmation_while_clusters_have_no_answer() -> None:
    session = ScriptedSession(clusters=2, rounds=1)
    lines = run_dialogue(session, "g\n1\ng\ng\n")
    assert lines.count("2 clusters have no answer. g again: train anyway") == 1
    assert lines.count("1 cluster has no answer. g again: train anyway") == 1
    assert session.phase == "finished"
    assert lines[-1] == "The session is finished."


def test_unknown_commands_and_clusters_change_nothing() -> None:
    session = ScriptedSession(clusters=2)
    lines = run_dialogue(session, "hello\nc 9\nU\n?\nl\nq\n5\n")
    assert session.answer_log == []
    assert "Unknown command 'hello'. ? lists all commands." in lines
    assert "This round has no cluster 9. l lists all clusters." in lines
    assert "Nothing to redo" in lines
    for command, _ in COMMAND_HELP:
        assert any(line.startswith(f"  {command} ") for line in lines)


def test_end_of_input_stops_training_and_ends_the_dialogue() -> None:
    session = ScriptedSession("training", clusters=2)
    lines = run_dialogue(session, "")
    assert session.phase == "labelling"
    assert any(line.startswith("epoch 1 of 6 ended") for line in lines)


def test_overlong_line_is_rejected_and_the_next_line_is_read() -> None:
    session = ScriptedSession(clusters=2)
    lines = run_dialogue(session, f"7{' ' * 500}\n7{' ' * 78}\n{'8' * 200}\n5\n")
    assert sum(line.startswith("Unknown command") for line in lines) == 1
    assert sum(line.startswith("There is no class") for line in lines) == 1
    assert answers(session) == [ClassAnswer(7), ClassAnswer(5)]


def test_last_line_without_line_end_is_ignored() -> None:
    session = ScriptedSession(clusters=2)
    assert "Ignored '7': the input ended before Enter." in run_dialogue(session, "5\n7")
    assert answers(session) == [ClassAnswer(5)]
