"""The session as a dialogue line by line, for screen readers, dumb terminals, logs and pipes; it moves no cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TextIO

from vaetui.engine.answers import Label, Path, Split, Unreadable, written
from vaetui.engine.classes import Added, Merged, Renamed
from vaetui.engine.clusters import Pixels
from vaetui.engine.events import Event, Loading
from vaetui.errors import Trouble
from vaetui.signals import Farewells, Left
from vaetui.tui.plain.commands import HELP, Look, Order, read
from vaetui.tui.presenters.cluster_text import answer_of, keyed, name_of, progress_of, said_of, size_of, votes_of
from vaetui.tui.presenters.event_text import Telling
from vaetui.tui.presenters.focus import next_open
from vaetui.tui.presenters.labelling import Desk
from vaetui.tui.presenters.round_gain import gained
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.half_blocks import fit, lettered

CELLS = (28, 14)
"""Columns and lines of a picture."""
SHOWN = 4
"""Members that are shown at once."""
LONGEST = 250
"""Characters of a line that are read: no order is as long, and a file that is none has no end."""


class Plain:
    """Tells a session in lines, and takes answers as lines."""

    def __init__(self, session: Session, typed: TextIO, say: Callable[[str], None]) -> None:
        """Lead the dialogue over that session; lines come from `typed`, and its end means to leave."""
        self.session = session
        """The one door to everything below."""
        self._typed = typed
        self._say = say
        self._farewells = Farewells()

    @property
    def signal(self) -> int:
        """Tell the signal that ended the dialogue; 0 for none."""
        return self._farewells.number

    def run(self) -> None:
        """Train and ask until the run is over or the person leaves; everything is saved at any moment."""
        with suppress(Left), self._farewells:
            while True:
                self._follow(self.session.advance())
                if self.session.phase == "finished":
                    self._tell("The run is over.")
                    return
                self._ask()

    # Slow work.

    def _follow(self, events: Iterator[Event]) -> None:
        """Tell what a slow verb reports; a signal ends it at its next event."""
        telling = Telling(self.session.epochs, self.session.rounds)
        for event in events:
            line = telling.line(event)
            if line is not None:
                self._tell(line)
            if self.signal:
                getattr(events, "close", lambda: None)()
                raise Left
            self._farewells.idle = isinstance(event, Loading)  # an import may take longer than anybody waits
        self._farewells.idle = False

    # Questions.

    def _ask(self) -> None:
        """Ask the round until it is over."""
        self._desk, sure = Desk(self.session), False
        for words in (
            gained(self.session.curves().epochs),
            keyed(self.session.classes, range(len(self.session.classes))),
        ):
            if words:
                self._tell(words)
        if self._desk.spot.open:
            self._show(self._desk.tile.path)
        else:
            self._next()
        while self.session.phase == "labelling":
            try:
                order = read(self._line(), self.session.config.cluster.parts, self.session.classes)
                if order == "go" and not sure and (left := self._desk.spot.open):
                    one = left == 1
                    which = "1 centre has no answer" if one else f"{left} centres have no answer"
                    self._tell(f"{which}; g again goes on without {'it' if one else 'them'}")
                    sure = True
                    continue
                sure = False
                self._do(order)
            except Trouble as trouble:
                self._tell(str(trouble))

    def _do(self, order: Order) -> None:
        match order:
            case Label() | Unreadable():
                path = self._desk.tile.path
                self.session.answer(path, order)
                self._desk.look(path)
                self._tell(said_of(self._desk.tile, self.session.classes))
                self._next()
            case Split(parts):
                path = self._desk.tile.path
                self._follow(self.session.split(path, parts))
                self._show((*path, 0))
            case Added() | Renamed() | Merged():
                self._desk.amend(order)
                self._tell(self._desk.note)
            case Look(path):
                self._look(path)
            case str():
                {
                    "next": self._next,
                    "undo": lambda: self._step(self.session.undo(), "undo", self._desk.board.undoable),
                    "redo": lambda: self._step(self.session.redo(), "redo", self._desk.board.redoable),
                    "members": self._members,
                    "list": self._list,
                    "classes": self._list_classes,
                    "go": self.session.go_on,
                    "help": self._help,
                    "leave": self._leave,
                }[order]()

    def _step(self, path: Path | None, what: str, words: str | None) -> None:
        if path is None:
            self._tell(f"nothing to {what}")
        else:
            self._tell(f"{what}: {f'centre {written(path)}' if path else words}")
            self._show(path or self._desk.tile.path)

    def _members(self) -> None:
        tile = self._desk.tile
        pictures = self.session.members(tile.path, "nearest", SHOWN)
        self._tell(f"{len(pictures)} nearest members of centre {name_of(tile)}")
        for picture in pictures:
            self._draw(picture)

    def _list(self) -> None:
        for tile in self._desk.board.tiles:
            self._tell(f"{'  ' * len(tile.path)}centre {name_of(tile)}: {answer_of(tile)}, {size_of(tile)}")

    def _list_classes(self) -> None:
        known, tally = self.session.classes, self.session.tally()
        for label, name in enumerate(known.names):
            answers = "1 answer" if tally[label] == 1 else f"{tally[label]:,} answers"
            counts = answers if label in known.offered else f"counts as {known.called[label]}"
            self._tell(f"  class {label}: {name}, {counts}")

    def _help(self) -> None:
        wide = max(len(typed) for typed, _ in HELP) + 2
        for typed, does in HELP:
            self._tell(f"  {typed:<{wide}}{does}")

    def _leave(self) -> None:
        raise Left

    def _next(self) -> None:
        """Look at the next centre without an answer, after this one and then from the beginning."""
        desk = self._desk
        at = next_open(desk.board.tiles, desk.at)
        if at is None:
            self._tell(f"{progress_of(desk.board)}: g goes on training")
        else:
            self._show(desk.board.tiles[at].path)

    def _look(self, path: Path) -> None:
        """Show a centre that somebody named."""
        if path not in [tile.path for tile in self._desk.board.tiles]:
            raise Trouble(f"There is no centre {written(path)} in this round; l lists them.")
        self._show(path)

    def _show(self, path: Path) -> None:
        """Read the round again, show a centre of it and ask for it."""
        self._desk.look(path)
        tile = self._desk.tile
        self._tell("")
        self._tell(progress_of(self._desk.board))
        self._tell(f"centre {name_of(tile)}: {size_of(tile)}, answer {answer_of(tile)}")
        self._tell(votes_of(tile, self.session.classes))
        self._draw(tile.picture)
        self._tell(f"centre {name_of(tile)}: class? (? helps)")

    def _draw(self, picture: Pixels) -> None:
        for line in lettered(fit(picture, CELLS[0], 2 * CELLS[1])):
            self._tell(line.rstrip())

    def _line(self) -> str:
        """Wait for a line; the end of them, and a signal meanwhile, leave.

        A last line without an end may have been cut short where the pipe broke: it is not taken.
        """
        self._farewells.idle = True
        line = more = self._typed.readline(LONGEST)
        while more and not more.endswith("\n"):
            more = self._typed.readline(LONGEST)
        self._farewells.idle = False
        if not more:
            if line:
                self._tell(f"{line!r} was not taken: a line that is meant ends with Enter")
            raise Left
        return line.rstrip("\n") if more is line else f"{line}…"

    def _tell(self, line: str) -> None:
        """Say a line; where nobody hears it any more, leave."""
        try:
            self._say(line)
        except OSError:
            raise Left from None
