"""The round being asked: what was said in it and what stands; it knows no networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vaetui.engine import rng
from vaetui.engine.answers import Answer, Label, Path, Split, standing, written
from vaetui.engine.classes import Classes, Naming
from vaetui.engine.clusters import MOST, Cluster, Indices, Tree, find, gather, grow, leaves, placed, walk
from vaetui.engine.config import Config
from vaetui.engine.pseudo_labels import Weights, fading, weigh
from vaetui.engine.seeds import Seeds, joined
from vaetui.errors import Trouble
from vaetui.session.acts import described
from vaetui.session.digit_keys import chosen, joining
from vaetui.session.label_propagator import Heard
from vaetui.session.views import SHOWN, Board, Tile, Which
from vaetui.storage import file_names, round_snapshots
from vaetui.storage.answer_rows import Saying
from vaetui.storage.artifact_store import Vault
from vaetui.storage.fingerprints import Stamp
from vaetui.storage.namings import Named
from vaetui.storage.repository import LAST, Facts
from vaetui.storage.round_snapshots import Part, Photograph

FEW = 10
"""Times as many members as parts, among which so many differ as a rule."""


class Labelling:
    """One round: its photograph, its tree, what was said."""

    classes: Classes
    """What classes there are; what was said of one that was merged counts as the other."""

    def __init__(self, vault: Vault, facts: Facts, config: Config, round: int, last: int = LAST) -> None:
        """Read a round as it was left, with the classes as they are or as they were at the end of the round `last`.

        Raises Trouble for files that are lost or do not fit what was said.
        """
        self.round = round
        self._last = last
        self._spreads = config.spread.over == "neighbours"
        self._vault = vault
        self._facts = facts
        self._config = config
        self.photograph = round_snapshots.load(vault, file_names.photograph(round), Photograph)
        photograph = self.photograph
        self.places = placed(photograph.latents, config.cluster.by)
        """Where every image lies, [N, z_dim]."""
        everyone = np.arange(len(photograph.near))
        self._roots = gather(self.places, everyone, photograph.near, photograph.centres, photograph.pictures)
        self._parts: dict[int, Tree] = {}  # the children that each split made, by the number of its saying
        self._said = facts.acts(round, "stands")
        self._undone = facts.acts(round, "undone")
        self._check_acts()
        self._before = facts.answers() - len(self._sayings)
        self._favourites = chosen(facts.classes(round - 1), facts.tally(round - 1))
        self._settle()

    def say(self, path: Path, answer: Answer, *stamps: Stamp) -> None:
        """Record an answer, with the files that belong to it; it is on the disk when this returns.

        Raises Trouble for a cluster that is not there and a class that there is not, or not any more.
        """
        self.cluster(path)
        if isinstance(answer, Label):
            self.classes.check(answer.label)
        self._said.append(self._facts.say(self.round, path, answer, *stamps))
        self._undone.clear()
        self._settle()

    def divide(self, path: Path, part: Part) -> None:
        """Record that a cluster was cut into parts: first the parts, then the fact that names them."""
        stamp = round_snapshots.save(self._vault, file_names.part(self._facts.next_act()), part)
        self.say(path, Split(len(part.centres)), stamp)

    def amend(self, naming: Naming) -> None:
        """Record what was done to the classes; it is on the disk when this returns.

        Raises Trouble for what cannot be done.
        """
        self.classes.after(naming)
        self._said.append(self._facts.amend(self.round, naming))
        self._undone.clear()
        self._settle()

    def undo(self) -> Path | None:
        """Take back the last act, and give its cluster, () for one on the classes; None where there is none."""
        if not self._said:
            return None
        self._facts.undo(self._said[-1])
        act = self._said.pop()
        self._undone.insert(0, act)
        self._settle()
        return act.path if isinstance(act, Saying) else ()

    def redo(self) -> Path | None:
        """Let the act that was taken back last stand again, and give its cluster, likewise."""
        if not self._undone:
            return None
        self._facts.redo(self._undone[0])
        act = self._undone.pop(0)
        self._said.append(act)
        self._settle()
        return act.path if isinstance(act, Saying) else ()

    def cluster(self, path: Path) -> Cluster:
        """Give the cluster at that path as the round stands.

        Raises Trouble where there is none.
        """
        try:
            return find(self.tree, path)
        except KeyError:
            raise Trouble(f"There is no centre {written(path)} in this round.") from None

    def divisible(self, path: Path, parts: int) -> Cluster:
        """Give the cluster at that path if it can be cut into so many parts.

        Raises Trouble for fewer than 2 parts, and for fewer members that differ in the latent space than parts.
        """
        cluster = self.cluster(path)
        if not 2 <= parts <= MOST:
            raise Trouble(f"A centre can be split into 2 to {MOST:,} parts.")
        # Of a large cluster the first members nearly always differ: sorting all would keep the screen waiting.
        different = 0
        for some in (cluster.members[: FEW * parts], cluster.members):
            different = different if different >= parts else len(np.unique(self.places[some], axis=0))
        if different < parts:
            raise Trouble(f"This centre stands for {different} different images; they cannot become {parts} parts.")
        return cluster

    def weights(self) -> Weights:
        """Spread what stands to every training image (eq. 2)."""
        return weigh(self.tree, self.answers, len(self.photograph.near), self._config.cluster.decay)

    def seeds(self) -> Seeds:
        """Give the images that a person has seen named: the nearest members of each answered cluster."""
        found = [
            Seeds(
                shown := cluster.members[:SHOWN],
                np.full(len(shown), answer.label),
                np.full(len(shown), answer.confidence),
            )
            for cluster in leaves(self.tree)
            if isinstance(answer := self.answers.get(cluster.path), Label)
        ]
        return joined(found)

    def heard(self) -> Heard:
        """Give those images with what the classifier had called them when the round began."""
        seeds = self.seeds()
        return Heard(seeds, self._predicted(seeds.indices))

    def members(self, path: Path, which: Which, count: int) -> Indices:
        """Choose some members of a cluster, at most `count`: nearest first, farthest first, or any."""
        members = self.cluster(path).members
        if which == "nearest":
            return members[:count]
        if which == "farthest":
            return members[::-1][:count]
        draw = rng.generator(self._config.seed, "members", self.round, *path)
        return draw.permutation(members)[:count]

    def board(self) -> Board:
        """Show the round as it stands."""
        open_or_answered = [cluster.path in self.answers for cluster in leaves(self.tree)]
        return Board(
            round=self.round,
            rounds=self._config.training.rounds,
            tiles=tuple(self._tile(cluster) for cluster in walk(self.tree)),
            answered=sum(open_or_answered),
            total=len(open_or_answered),
            covered=self._covered(),
            answers=self._before + len(self._sayings),
            favourites=joining(self._favourites, [act.naming for act in self._said if isinstance(act, Named)]),
            undoable=described(self._said[-1], self.classes) if self._said else None,
            redoable=described(self._undone[0], self.classes) if self._undone else None,
        )

    @property
    def _sayings(self) -> list[Saying]:
        """What stands said of clusters, oldest first."""
        return [act for act in self._said if isinstance(act, Saying)]

    def _tile(self, cluster: Cluster) -> Tile:
        below = [leaf.path in self.answers for leaf in leaves(cluster.children)]
        return Tile(
            path=cluster.path,
            picture=cluster.picture,
            size=len(cluster.members),
            spread=cluster.spread,
            answer=self.answers.get(cluster.path),
            parts=(sum(below), len(below)) if cluster.children else None,
            votes=self._votes(cluster),
            weight=1.0 if self._spreads else float(fading(cluster.distances, self._config.cluster.decay).mean()),
        )

    def _covered(self) -> float:
        """Tell what share of all images has a label: from the first answer on all, where answers spread."""
        if self._spreads:
            return float(self._before > 0 or any(isinstance(answer, Label) for answer in self.answers.values()))
        return self.weights().covered

    def _votes(self, cluster: Cluster) -> tuple[tuple[int, float], ...]:
        if self.round == 1:
            return ()  # the classifier has seen no label yet
        kinds, counts = np.unique(self._predicted(cluster.members), return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return tuple((int(kinds[at]), float(counts[at] / counts.sum())) for at in order)

    def _predicted(self, indices: Indices) -> NDArray[np.int64]:
        """Give what the classifier called these images when the round began, as the classes count now."""
        counted: NDArray[np.int64] = np.array(self.classes.roots)[self.photograph.predicted[indices]]
        return counted

    def _settle(self) -> None:
        """Derive what stands and the tree from what was said."""
        self.classes = self._facts.classes(self._last)
        self.answers = standing((saying.path, self._counted(saying.answer)) for saying in self._sayings)
        numbers = {saying.path: saying.id for saying in self._sayings}
        self.tree = self._roots
        for path in sorted((path for path, answer in self.answers.items() if isinstance(answer, Split)), key=len):
            self.tree = grow(self.tree, path, self._children(path, numbers[path]))

    def _counted(self, answer: Answer) -> Answer:
        """Give an answer with the class that it counts as."""
        return replace(answer, label=self.classes.roots[answer.label]) if isinstance(answer, Label) else answer

    def _check_acts(self) -> None:
        """Refuse answers with a class that there was not, and what could not be done to the classes, with Trouble."""
        classes = self._facts.classes(self.round - 1)
        for act in (*self._said, *self._undone):
            if isinstance(act, Named):
                classes = classes.after(act.naming)
            elif isinstance(act.answer, Label) and act.answer.label >= len(classes):
                classes.check(act.answer.label)

    def _children(self, path: Path, number: int) -> Tree:
        if number not in self._parts:
            members = self.cluster(path).members
            part = round_snapshots.load(self._vault, file_names.part(number), Part, M=len(members))
            self._parts[number] = gather(self.places, members, part.near, part.centres, part.pictures, path)
        return self._parts[number]
