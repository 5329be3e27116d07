"""New pictures from the latent space, of any class or of one; it does not know how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize
from textual.timer import Timer

from vaetui.engine.clusters import Pixels
from vaetui.engine.events import Drawn, Loading, Progressed
from vaetui.errors import Trouble
from vaetui.session.digit_keys import chosen, usable
from vaetui.tui.presenters.cluster_text import keyed
from vaetui.tui.presenters.number_format import gauge
from vaetui.tui.samples_keys import FIGURES, KEYS, WEIGHTY
from vaetui.tui.screens.class_picker import among_known
from vaetui.tui.screens.guarded import Guarded
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.footer import Keys
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.image_grid import Wall
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.size_notice import Room
from vaetui.tui.worker import Ended, Follower, Following, Reported

PATIENCE = 0.5
"""Seconds after which a person wants to know that something goes on."""
UNTAUGHT = "no class is learned yet: that takes an epoch with answers of yours"
"""Why nothing can be drawn of one class."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be drawn."""

    label: int | None = None
    """The class; None for any."""
    seed: int = 0
    """Where the draws come from."""
    count: int = 0
    """Pictures."""


class SamplesScreen(Guarded):
    """A wall of pictures, and one line that tells what they are and what is being drawn."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS
    WEIGHTY = WEIGHTY
    FIGURES = FIGURES
    DEFAULT_CSS = """
    SamplesScreen { layout: vertical; overflow: hidden; }
    """

    def __init__(self, session: Session) -> None:
        """Draw pictures by that session."""
        super().__init__()
        self.session = session
        """The one door to everything below."""
        self.follower = Follower()
        """The worker that draws, beside the one that trains."""
        self.wish = Wish()
        """What was wanted last."""
        self.pictures: Pixels = np.zeros((0, 1, 1), np.uint8)
        """What was drawn last, [N, H, W]."""
        self._favourites = chosen(session.classes, dict(enumerate(session.tally())))
        self._drawing: Wish | None = None
        self._overdue: Timer | None = None
        self._doing: Text | None = None
        self._awaits = self._hint = self._note = ""

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Header(self.session.name)
        yield Wall()
        yield Prompt()
        yield Keys()
        yield Room()

    def on_mount(self) -> None:
        """Draw the first ones."""
        self._want(None, 0)

    async def on_resize(self, event: Resize) -> None:
        """Hang the pictures anew where another size wants it; only those that are missing must be drawn."""
        wall = self.query_one(Wall)
        if await wall.suit(self.app.size):
            wall.show(self.pictures)
            if self.wish.count < wall.count:
                self._want(self.wish.label, self.wish.seed)
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only the classes that there are."""
        key = str(parameters[0]) if action == "press" and parameters else ""
        return not key.isdigit() or int(key) in usable(self._favourites, self.session.classes)

    def awaited(self, words: str) -> None:
        """Tell what awaits the person behind the pictures, in a few words."""
        self._awaits = words
        self._show()

    def press(self, key: str) -> None:
        """Draw others or another class, or close."""
        self._hint = self._note = ""
        match key:
            case "close":
                self.follower.stop()
                cast(Following, self.app).uncover()
                return
            case "next":
                self._want(self.wish.label, self.wish.seed + 1)
            case "any":
                self._want(None, self.wish.seed)
            case _ if not any(ended.covered for ended in self.session.curves().epochs):
                self._hint = UNTAUGHT
            case "choose":
                cast(Following, self.app).veil()
                self.app.push_screen(among_known(self.session, self._choose))
            case _:
                self._choose(cast(int, self._favourites[int(key)]))
        self._show()

    def unbound(self, key: str) -> None:
        """Say which keys draw."""
        self._hint = f"there is no class {key}" if key.isdigit() else "that key does nothing here, ? shows all keys"
        self._show()

    def tell(self, words: str) -> None:
        """Say that behind what is shown."""
        self._hint, self._note = "", words
        self._show()

    @on(Reported)
    def take(self, message: Reported) -> None:
        """Show what was drawn, or how far that is; what is no longer wanted is passed over."""
        if self._drawing != self.wish:
            return
        match message.event:
            case Drawn(pictures):
                self.pictures = pictures
                self.query_one(Wall).show(pictures)
            case Loading(what):
                self._doing = Text(f"loading {what} …")
            case Progressed(what, done, total):
                share = done / max(total, 1)
                self._doing = Text.assemble(f"{what}  ", gauge(share, 20), f" {100 * share:3.0f} %")
            case _:
                pass
        if self._overdue is None:
            self._show()

    @on(Ended)
    def settle(self, message: Ended) -> None:
        """Draw what was wanted meanwhile; say why nothing could be drawn."""
        self.follower.settle()
        again = message.stopped or self._drawing != self.wish
        self._drawing = self._doing = None
        if self._overdue is not None:
            self._overdue.stop()
            self._overdue = None
        if self not in self.app.screen_stack:
            return
        if message.failure is not None and not isinstance(message.failure, Trouble):
            cast(Following, self.app).fail(message.failure)
        elif again:
            self._begin()
        elif message.failure is not None:
            self._hint = str(message.failure)
        self._show()

    def _choose(self, label: int) -> None:
        self._want(label, self.wish.seed)
        self._show()

    def _want(self, label: int | None, seed: int) -> None:
        """Draw these, as soon as nothing else is drawn."""
        self.wish = Wish(label, seed, self.query_one(Wall).count)
        if self.follower.busy:
            self.follower.stop()
        else:
            self._begin()

    def _begin(self) -> None:
        self._drawing = wish = self.wish
        self._overdue = self.set_timer(PATIENCE, self._lose_patience)
        self.follower.follow(self.session.samples(wish.count, wish.label, wish.seed), to=self)

    def _lose_patience(self) -> None:
        self._overdue = None
        self._show()

    def _show(self) -> None:
        wish, classes = self.wish, self.session.classes
        kind = "any class" if wish.label is None else f"class {classes.names[wish.label]}"
        awaits = f"{self._awaits}   " if self._awaits else ""
        self.query_one(Header).say(f"{awaits}new pictures of {kind}, seed {wish.seed}")
        prompt = self.query_one(Prompt)
        if self._doing is not None and self._overdue is None and not self._hint:
            prompt.say(self._doing)
        else:
            how = "drawn at random" if wish.label is None else "of many, those that the classifier is surest of"
            prompt.put(f"pictures of {kind}:", keyed(classes, self._favourites) or how, self._hint, self._note)
