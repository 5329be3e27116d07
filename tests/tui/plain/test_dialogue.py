"""Test the plain dialogue with a scripted session: what each typed line changes and prints."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.tui.scripted_session import ScriptedSession, create_epoch
from vaetui.engine.answers import ClassAnswer, NearestImageAnswer, Split, Unreadable
from vaetui.engine.classes import AddClass, ClassEdit, ClassList, MergeClass
from vaetui.engine.config import Config, NetworkConfig
from vaetui.errors import UserError
from vaetui.session.feature_advice import FEATURES_ADVICE
from vaetui.session.views import Disagreement, RoundView
from vaetui.tui.plain.commands import COMMAND_HELP, parse_command
from vaetui.tui.plain.dialogue import PlainDialogue

PICTURE_PATTERN = re.compile(r" *[-.:=+*#%@][-.:=+*#%@ ]+")
"""A line of a picture."""


def run_dialogue(session: ScriptedSession, typed: str, shows_pictures: bool = True) -> list[str]:
    """Run a dialogue with the typed text as input, and return the printed lines."""
    lines: list[str] = []
    PlainDialogue(session, io.StringIO(typed), lines.append, shows_pictures).run()
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
    assert "3 of 3 clusters answered. g: continue training" in lines


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


def certain_session(**arguments: Any) -> ScriptedSession:
    """Create a session in which the classifier is sure of all clusters but the first."""
    session = ScriptedSession(**arguments)
    round_view = session.round_view

    def create_view() -> RoundView:
        view = round_view()
        clusters = [
            replace(cluster, class_shares=((index % 10, 0.63 if index == 0 else 0.99),))
            for index, cluster in enumerate(view.clusters)
        ]
        return replace(view, clusters=tuple(clusters))

    session.round_view = create_view  # type: ignore[method-assign]
    return session


def test_prediction_is_told_in_words_and_accepted() -> None:
    session = certain_session(clusters=3)
    lines = run_dialogue(session, "y\n")
    assert "The classifier predicts 0 for 63 % of the images." in lines
    assert "Cluster 0: class? y: 0 (?: help)" in lines
    assert answers(session) == [ClassAnswer(0)]
    assert "Most similar cluster with an answer: 0 = 0." in lines


def test_no_prediction_cannot_be_accepted() -> None:
    session = ScriptedSession(clusters=2)
    session.learned_class_ids = ()
    lines = run_dialogue(session, "y\nY\n")
    assert "There is no prediction for cluster 0 yet. Type its class." in lines
    assert "No open cluster has a prediction above 95 %." in lines
    assert not any("classifier" in line for line in lines)
    assert answers(session) == []


def test_certain_predictions_are_accepted_after_a_question_and_undone_at_once() -> None:
    session = certain_session(clusters=4)
    lines = run_dialogue(session, "Y\nn\nY\nY\n")
    question = "Accept 3 predictions? 1 = 1, 2 = 2, 3 = 3. Y again: accept"
    assert lines.count(question) == 2, "another command in between withdraws the confirmation"
    assert answers(session) == [ClassAnswer(1), ClassAnswer(2), ClassAnswer(3)]
    assert sum(line.startswith("Saved: ") for line in lines) == 3
    session = certain_session(clusters=4)
    lines = run_dialogue(session, "Y\nY\nu\n")
    assert "Undid: answers for 3 clusters" in lines
    assert answers(session) == []


def test_cleared_answer_is_asked_again() -> None:
    session = ScriptedSession(clusters=2)
    lines = run_dialogue(session, "7\nc 0\nclear\nclear\nu\n")
    assert "Saved: cluster 0 has no answer again" in lines
    assert "Cluster 0 has no answer yet." in lines
    assert answers(session) == [ClassAnswer(7)]


def test_clusters_are_listed_in_the_chosen_order_and_open_ones_alone() -> None:
    session = certain_session(clusters=3)
    lines = run_dialogue(session, "7\nl\nl open\nl size\nl doubt\nl class open\n")
    listed = [line.split(":")[0].split()[-1] for line in lines if line.startswith("  cluster ")]
    sizes = [cluster.size for cluster in session.round_view().clusters]
    by_size = sorted(range(3), key=lambda index: -sizes[index])
    by_doubt = "120"  # clusters with an answer come last
    assert listed == [*"012", *"12", *map(str, by_size), *by_doubt, *"12"]
    assert "  cluster 0: 2,000 images, 7" in lines
    assert any(line.endswith("no answer, prediction 1 (99 %)") for line in lines)


def test_class_of_the_nearest_image_alone_is_typed_with_only_and_listed() -> None:
    session = pet_session(3, "cat", "dog", "owl")
    lines = run_dialogue(session, "only cat\ndog only\nonly 7\nonly cow\nl\nhistory dog\nu\n")
    assert answers(session) == [NearestImageAnswer(0)]
    assert 'Saved: nearest image of cluster 0 = "cat"' in lines
    assert "  cluster 1: 2,137 images, dog, nearest image alone" in lines
    assert "  round 1, cluster 1: dog, nearest image alone, 410 images" in lines
    assert "Digit 7 has no class (use 0-2)." in lines
    assert "Unknown class 'cow'. classes lists all classes." in lines
    assert "Undid: answer for the nearest image of cluster 1" in lines


def test_question_about_a_mixed_cluster_of_a_session_with_features_names_the_answer_for_one_image() -> None:
    hint = "Cluster 0: class? y: 0 · only CLASS: its nearest image alone (?: help)"
    for inputs, share, is_shown in (("vectors", 0.48, True), ("vectors", 0.7, False), ("images", 0.48, False)):
        session = ScriptedSession(config=Config(network=NetworkConfig(inputs=inputs)))
        session.top_share = share
        assert (hint in run_dialogue(session, "")) == is_shown


def test_advice_is_printed_once_when_a_first_round_of_mixed_clusters_ends() -> None:
    typed = "x\nonly 3\nx\nx\n5\n6\ng\nx\nx\nx\nx\nx\nx\ng\n"
    lines = run_dialogue(ScriptedSession(clusters=6, rounds=2), typed)
    assert lines.count(FEATURES_ADVICE) == 1
    assert lines.index(FEATURES_ADVICE) < next(i for i, line in enumerate(lines) if line.startswith("Round 2 of 2"))
    assert FEATURES_ADVICE not in run_dialogue(ScriptedSession(clusters=6), "x\n" + "1\n" * 5 + "g\n")


def test_answers_of_all_rounds_are_listed_and_corrected() -> None:
    session = ScriptedSession(clusters=2, rounds=2)
    lines = run_dialogue(session, "7\n4 8\ng\n3\nhistory\nhistory 3\ncorrect 1 1 9 6\nhistory\ncorrect 5 0 3\n")
    first, second = (lines.index(line) for line in lines if line.startswith("  round 1, cluster 0: 7, "))
    assert lines[first + 1].startswith("  round 1, cluster 1: 4, confidence 0.8, ")
    assert lines[first + 2].startswith("  round 2, cluster 0: 3, ")
    assert lines[first + 3].startswith("3 answers. ")
    assert any(line.startswith("1 answer. ") for line in lines)
    assert "Saved: cluster 1 of round 1 = 9, confidence 0.6. It counts from the next training on" in lines
    assert any(line.startswith("  round 1, cluster 1: 9, confidence 0.6, ") for line in lines[second:])


def test_classes_without_an_answer_are_named_where_the_expected_accuracy_would_stand() -> None:
    session = pet_session(2, "cat", "dog", "barn owl")
    session.finished_epochs = [create_epoch(1)]
    lines = run_dialogue(session, "cat\ncat\ng\ndog\ndog\ng\nbarn owl\n")
    heads = [index for index, line in enumerate(lines) if line.startswith("Round ")]
    assert [lines[index] for index in heads][1] == "Round 2 of 5: 0 of 2 clusters answered, 2 answers in all"
    assert [lines[index + 1] for index in heads[1:3]] == [
        "No answer yet for: dog, barn owl",
        "No answer yet for: barn owl",
    ]
    assert not any("Expected accuracy" in line for line in lines)


def test_what_is_known_about_the_labels_is_printed_before_a_round_and_at_the_end() -> None:
    session = ScriptedSession(clusters=1, rounds=3, has_test_labels=False)
    accuracies = (None, 0.7, 0.742, 0.773)
    session.finished_epochs = [
        replace(
            create_epoch(1 + index, 16 * index),
            test_accuracy=None,
            mean_confidence=0.98,
            expected_accuracy=accuracy,
            prediction_churn=0.08 if index > 1 else None,
        )
        for index, accuracy in enumerate(accuracies)
    ]
    session.disagreement = Disagreement(0.05, ((4, 9, 300),))
    session.steps.list_unanswered_class_ids = lambda: ()  # type: ignore[method-assign]
    lines = run_dialogue(session, "q\n")
    start = next(index for index, line in enumerate(lines) if line.startswith("Round 1 of 3"))
    assert lines[start + 1 : start + 4] == [
        "Expected accuracy about 77 % (not audited)",
        "Round 3 brought about 3 points: this round may bring about 2 points",
        "Classifier and graph differ on 5 % of the images, most of them 4 and 9",
    ]
    session = ScriptedSession("finished", rounds=2)
    session.finished_epochs = [
        replace(create_epoch(1 + index, 16 * index), test_accuracy=accuracy, prediction_churn=0.01)
        for index, accuracy in enumerate((0.1, 0.95, 0.96))
    ]
    lines = run_dialogue(session, "")
    assert lines[-1] == "The session is finished."
    assert any(line.endswith("would bring little; check the labels with vaetui audit demo-mnist") for line in lines)


def test_many_classes_without_an_answer_are_counted() -> None:
    names = [f"class number {number}" for number in range(60)]
    lines = run_dialogue(pet_session(2, *names), "class number 7\nclass number 7\ng\n")
    notes = [line for line in lines if line.startswith("No answer yet")]
    assert notes[0] == f"No answer yet for: {', '.join(names[:5])} and 54 more"


def test_labels_are_exported_and_an_existing_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("old")
    lines = run_dialogue(ScriptedSession(clusters=2), f"export {tmp_path}/a b.csv\nexport {tmp_path}/old.csv\n")
    assert (tmp_path / "a b.csv").exists()
    assert any(line.startswith(f"{tmp_path}/a b.csv: ") for line in lines)
    assert f"{tmp_path}/old.csv exists already. Choose another name." in lines
    assert (tmp_path / "old.csv").read_text() == "old"


def test_longest_path_is_read_whole() -> None:
    path = f"/{'d' * 200}/{'e' * 200}/x.csv"
    lines = run_dialogue(ScriptedSession(clusters=2), f"export {path}\n7\n")
    assert not any("Unknown command" in line for line in lines)
    assert 'Saved: cluster 0 = "7"' in lines


def test_pictures_can_be_left_out() -> None:
    session = ScriptedSession(clusters=3)
    lines = run_dialogue(session, "7\nm\ni\n4\ni\n", shows_pictures=False)
    pictures = [index for index, line in enumerate(lines) if PICTURE_PATTERN.fullmatch(line)]
    assert "Pictures are left out. i: draw them" in lines
    assert pictures, "i draws them"
    assert lines[: pictures[0]].count('Saved: cluster 0 = "7"') == 1
    assert "Pictures are left out from now on. i: draw them" in lines


def test_progress_of_an_epoch_is_at_most_one_line_per_tenth() -> None:
    session = ScriptedSession("training", clusters=2)
    lines = run_dialogue(session, "")
    progress = [line for line in lines if line.startswith("epoch 1 of 6: ")]
    assert 5 <= len(progress) <= 9
    shares = [int(line.split(": ")[1].split(" %")[0]) // 10 for line in progress]
    assert len(set(shares)) == len(shares)
