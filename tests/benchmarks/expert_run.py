"""Count the keys of a person who labels MNIST with the default recipe and uses the fastest key for every answer.

python -m tests.benchmarks.expert_run [SESSION]

The person is simulated by the true labels of the members that the screen shows, and types in the real app: Enter where
the guess is right, one confirmation for all sure guesses if they are all right, else a digit in one-key mode. Clusters
that show no class of at least `MIN_SHARE` of these members are marked as unreadable.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from functools import partial

from textual.pilot import Pilot

from tests.tui.harness import wait_until
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.recipes import get_recipe
from vaetui.session import lifecycle
from vaetui.session.session import Session
from vaetui.session.views import ClusterView
from vaetui.simulation.annotators import Judgement, MembersAnnotator
from vaetui.tui.app import VaetuiApp
from vaetui.tui.presenters.cluster_order import is_open
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.summary import SummaryScreen

MIN_SHARE = 0.5
"""Share of the members of one class below which a cluster is unreadable."""
MIN_ALIKE = 3
"""Sure guesses from which on accepting all of them at once takes fewer keys."""
TIMEOUT_S = 3_600.0


class Expert:
    """Answers every cluster of every round with as few keys as possible, and counts them by what they do."""

    def __init__(self, session: Session, pilot: Pilot[None]) -> None:
        """Type into the app of `pilot`, which shows the session."""
        self.keys: Counter[str] = Counter()
        """Number of keys by what they do."""
        self.answers: Counter[str] = Counter()
        """Number of answers by how they are given."""
        self._session, self._pilot = session, pilot

    async def label_all_rounds(self) -> None:
        """Label until the run is finished."""
        for round_number in range(1, self._session.round_count + 1):
            await wait_until(self._pilot, partial(self._is_labelling, round_number), TIMEOUT_S)
            await self._answer_round(round_number)
            await self._press("go", "g")
        await wait_until(self._pilot, lambda: isinstance(self._pilot.app.screen, SummaryScreen), TIMEOUT_S)

    async def _answer_round(self, round_number: int) -> None:
        screen = self._pilot.app.screen
        assert isinstance(screen, LabellingScreen)
        presenter = screen.presenter
        if round_number == 1:
            await self._press("one-key mode", "a")
        sure_clusters = [cluster for cluster, _ in presenter.round_view.sure_answers]
        judgements = [self._judge(cluster).class_id for cluster in sure_clusters]
        if len(judgements) >= MIN_ALIKE and judgements == [cluster.class_shares[0][0] for cluster in sure_clusters]:
            await self._press("accept all", "A")
            await self._press("accept all", "A")
            self.answers["accept all"] += len(judgements)
        while is_open(presenter.focused_cluster):
            cluster = presenter.focused_cluster
            judgement = self._judge(cluster)
            if judgement.confidence < MIN_SHARE:
                await self._press("unreadable", "x")
                self.answers["unreadable"] += 1
            elif cluster.guess is not None and cluster.guess[0] == judgement.class_id:
                await self._press("accept", "enter")
                self.answers["accept"] += 1
            else:
                await self._press("digit", str(presenter.round_view.digit_keys.index(judgement.class_id)))
                self.answers["digit"] += 1
        for cluster in presenter.round_view.clusters:
            assert isinstance(cluster.answer, ClassAnswer) or self._judge(cluster).confidence < MIN_SHARE

    async def _press(self, purpose: str, key: str) -> None:
        self.keys[purpose] += 1
        await self._pilot.press(key)
        await self._pilot.pause()

    def _judge(self, cluster: ClusterView) -> Judgement:
        labels, labelling_round = self._session.true_labels, self._session.require_current_round()
        assert labels is not None
        assert labels.train_labels is not None
        annotator = MembersAnnotator(labels.train_labels)
        members = labelling_round.member_indices(cluster.path, "nearest", annotator.member_count)
        return annotator.judge(cluster.picture, members)

    def _is_labelling(self, round_number: int) -> bool:
        app = self._pilot.app
        assert isinstance(app, VaetuiApp)
        is_labelling = isinstance(app.screen, LabellingScreen) and self._session.round_number == round_number
        return is_labelling and not app.event_worker.is_busy


async def measure(name: str) -> None:
    """Label a new session and print the keys."""
    session = lifecycle.create(name, "mnist", get_recipe("propagation"))
    app = VaetuiApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        expert = Expert(session, pilot)
        await expert.label_all_rounds()
        accuracy = session.training_curves().finished_epochs[-1].test_accuracy
    session.close()
    answers, keys = expert.answers.total(), expert.keys.total()
    print(f"{answers} answers, {keys} keys, {keys / answers:.2f} keys an answer; test accuracy {accuracy or 0:.2%}")
    for title, counts in (("keys", expert.keys), ("answers", expert.answers)):
        print(f"{title}:", ", ".join(f"{purpose} {count}" for purpose, count in counts.most_common()))


if __name__ == "__main__":
    asyncio.run(measure(sys.argv[1] if len(sys.argv) > 1 else "expert"))
