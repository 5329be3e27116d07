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
from vaetui.engine.events import Loading, Progress, SamplesGenerated
from vaetui.errors import UserError
from vaetui.session.digit_keys import active_digits, assign_digit_keys
from vaetui.tui.presenters.cluster_text import format_digit_keys
from vaetui.tui.presenters.number_format import format_bar
from vaetui.tui.samples_keys import SAMPLES_CONFIRMED_KEYS, SAMPLES_GLOSSARY, SAMPLES_KEYS
from vaetui.tui.screens.class_picker import create_class_picker
from vaetui.tui.screens.guarded import GuardedScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.footer import Footer
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.image_grid import ImageGrid
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.size_notice import SizeNotice
from vaetui.tui.worker import AppProtocol, EventReported, EventWorker, WorkerEnded

PROGRESS_DELAY_S = 0.5
"""Seconds after which a person wants to know that something goes on."""
NO_LEARNED_CLASS_NOTICE = "no class is learned yet: that takes an epoch with answers of yours"
"""Why nothing can be drawn of one class."""


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """What is to be drawn."""

    class_id: int | None = None
    """The class; None for any."""
    seed: int = 0
    """Where the draws come from."""
    count: int = 0
    """Pictures."""


class SamplesScreen(GuardedScreen):
    """A wall of pictures, and one line that tells what they are and what is being drawn."""

    BINDINGS: ClassVar[list[BindingType]] = SAMPLES_KEYS
    CONFIRMED_KEYS = SAMPLES_CONFIRMED_KEYS
    GLOSSARY = SAMPLES_GLOSSARY
    DEFAULT_CSS = """
    SamplesScreen { layout: vertical; overflow: hidden; }
    """

    def __init__(self, session: Session) -> None:
        """Draw pictures by that session."""
        super().__init__()
        self.session = session
        """The one door to everything below."""
        self.event_worker = EventWorker()
        """The worker that draws, beside the one that trains."""
        self.request = SampleRequest()
        """What was wanted last."""
        self.pictures: Pixels = np.zeros((0, 1, 1), np.uint8)
        """What was drawn last, [N, H, W]."""
        self._digit_keys = assign_digit_keys(session.classes, dict(enumerate(session.answer_counts())))
        self._running_request: SampleRequest | None = None
        self._progress_timer: Timer | None = None
        self._progress_text: Text | None = None
        self._pending_text = self._hint = self._note = ""

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Header(self.session.name)
        yield ImageGrid()
        yield Prompt()
        yield Footer()
        yield SizeNotice()

    def on_mount(self) -> None:
        """Draw the first ones."""
        self._request_samples(None, 0)

    async def on_resize(self, event: Resize) -> None:
        """Hang the pictures anew where another size wants it; only those that are missing must be drawn."""
        wall = self.query_one(ImageGrid)
        if await wall.relayout(self.app.size):
            wall.show(self.pictures)
            if self.request.count < wall.capacity:
                self._request_samples(self.request.class_id, self.request.seed)
        self._update_view()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only the classes that there are."""
        key = str(parameters[0]) if action == "press" and parameters else ""
        return not key.isdigit() or int(key) in active_digits(self._digit_keys, self.session.classes)

    def show_pending_phase(self, text: str) -> None:
        """Tell what awaits the person behind the pictures, in a few words."""
        self._pending_text = text
        self._update_view()

    def press(self, key: str) -> None:
        """Draw others or another class, or close."""
        self._hint = self._note = ""
        match key:
            case "close":
                self.event_worker.stop()
                cast(AppProtocol, self.app).close_overlay()
                return
            case "next":
                self._request_samples(self.request.class_id, self.request.seed + 1)
            case "any":
                self._request_samples(None, self.request.seed)
            case _ if not any(ended.label_coverage for ended in self.session.training_curves().finished_epochs):
                self._hint = NO_LEARNED_CLASS_NOTICE
            case "choose":
                cast(AppProtocol, self.app).defer_paint()
                self.app.push_screen(create_class_picker(self.session, self._request_class))
            case _:
                self._request_class(cast(int, self._digit_keys[int(key)]))
        self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Say which keys draw."""
        self._hint = f"there is no class {key}" if key.isdigit() else "that key does nothing here, ? shows all keys"
        self._update_view()

    def show_notice(self, text: str) -> None:
        """Say that behind what is shown."""
        self._hint, self._note = "", text
        self._update_view()

    @on(EventReported)
    def handle_event(self, message: EventReported) -> None:
        """Show what was drawn, or how far that is; what is no longer wanted is passed over."""
        if self._running_request != self.request:
            return
        match message.event:
            case SamplesGenerated(pictures):
                self.pictures = pictures
                self.query_one(ImageGrid).show(pictures)
            case Loading(what):
                self._progress_text = Text(f"loading {what} …")
            case Progress(what, done, total):
                share = done / max(total, 1)
                self._progress_text = Text.assemble(f"{what}  ", format_bar(share, 20), f" {100 * share:3.0f} %")
            case _:
                pass
        if self._progress_timer is None:
            self._update_view()

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Draw what was wanted meanwhile; say why nothing could be drawn."""
        self.event_worker.mark_idle()
        again = message.was_stopped or self._running_request != self.request
        self._running_request = self._progress_text = None
        if self._progress_timer is not None:
            self._progress_timer.stop()
            self._progress_timer = None
        if self not in self.app.screen_stack:
            return
        if message.failure is not None and not isinstance(message.failure, UserError):
            cast(AppProtocol, self.app).fail(message.failure)
        elif again:
            self._start_request()
        elif message.failure is not None:
            self._hint = str(message.failure)
        self._update_view()

    def _request_class(self, class_id: int) -> None:
        self._request_samples(class_id, self.request.seed)
        self._update_view()

    def _request_samples(self, class_id: int | None, seed: int) -> None:
        """Draw these, as soon as nothing else is drawn."""
        self.request = SampleRequest(class_id, seed, self.query_one(ImageGrid).capacity)
        if self.event_worker.is_busy:
            self.event_worker.stop()
        else:
            self._start_request()

    def _start_request(self) -> None:
        self._running_request = wish = self.request
        self._progress_timer = self.set_timer(PROGRESS_DELAY_S, self._show_progress)
        self.event_worker.start(self.session.samples(wish.count, wish.class_id, wish.seed), target=self)

    def _show_progress(self) -> None:
        self._progress_timer = None
        self._update_view()

    def _update_view(self) -> None:
        wish, classes = self.request, self.session.classes
        kind = "any class" if wish.class_id is None else f"class {classes.names[wish.class_id]}"
        awaits = f"{self._pending_text}   " if self._pending_text else ""
        self.query_one(Header).set_text(f"{awaits}new pictures of {kind}, seed {wish.seed}")
        prompt = self.query_one(Prompt)
        if self._progress_text is not None and self._progress_timer is None and not self._hint:
            prompt.set_text(self._progress_text)
        else:
            how = "drawn at random" if wish.class_id is None else "of many, those that the classifier is surest of"
            prompt.show_question(
                f"pictures of {kind}:", format_digit_keys(classes, self._digit_keys) or how, self._hint, self._note
            )
