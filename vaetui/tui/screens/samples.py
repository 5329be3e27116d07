"""The samples screen: generates images from random latent vectors, of any class or of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.events import Resize
from textual.timer import Timer

from vaetui.engine.clusters import Pixels
from vaetui.engine.events import Loading, Progress, SamplesGenerated
from vaetui.session.digit_keys import assign_digit_keys
from vaetui.tui.event_worker import EventReported, WorkerEnded
from vaetui.tui.keymap import SAMPLES_GLOSSARY, SAMPLES_KEYS
from vaetui.tui.presenters.cluster_text import format_digit_keys
from vaetui.tui.presenters.number_format import format_progress_bar
from vaetui.tui.screens.worker_screen import WorkerScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.image_grid import ImageGrid
from vaetui.tui.widgets.prompt import Prompt

PROGRESS_DELAY_S = 0.5
"""Seconds before progress is shown: faster requests would only flicker."""
CANDIDATES_PER_SAMPLE = 50
"""Samples that the session generates for each one of a class; for texts, as importing its constant loads PyTorch."""
DRAWING_TEXT = "drawing …"
"""Shown at once in place of the pictures of another request."""
NO_LEARNED_CLASS_NOTICE = "No class is learned yet. Label clusters and train one epoch."


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """The samples that the user asked for last."""

    class_id: int | None = None
    """The class; None for any."""
    seed: int = 0
    """Random seed."""
    count: int = 0
    """Number of images."""


class SamplesScreen(WorkerScreen):
    """A grid of images and a prompt that describes them or shows progress."""

    BINDINGS = build_bindings(SAMPLES_KEYS)
    DEFAULT_CSS = """
    SamplesScreen { layout: vertical; overflow: hidden; }
    """
    glossary = SAMPLES_GLOSSARY

    def __init__(self, session: Session) -> None:
        """Show samples of the session's newest checkpoint."""
        super().__init__(session, assign_digit_keys(session.classes, dict(enumerate(session.answer_counts()))))
        self.request = SampleRequest()
        """The last request."""
        self.pictures: Pixels = np.zeros((0, 1, 1), np.uint8)
        """The samples that are shown, [N, H, W]."""
        self._shown_request: SampleRequest | None = None
        self._running_request: SampleRequest | None = None
        self._progress_timer: Timer | None = None
        self._progress_text: Text | None = None

    def compose_body(self) -> ComposeResult:
        """Create the images and the prompt."""
        yield ImageGrid()
        yield Prompt()

    def on_mount(self) -> None:
        """Generate the first samples."""
        self._request_samples(None, 0)

    async def on_resize(self, event: Resize) -> None:
        """Change the grid if the new size needs another one; generate samples only if more fit than there are."""
        grid = self.query_one(ImageGrid)
        if await grid.update_layout(self.app.size):
            grid.show_images(self.pictures)
            if self.request.count < grid.capacity:
                self._request_samples(self.request.class_id, self.request.seed)

    def handle_bound_key(self, key: str) -> None:
        """Request other samples or another class, or close."""
        self._hint = self._note = ""
        match key:
            case "close":
                self._close()
                return
            case "next":
                self._request_samples(self.request.class_id, self.request.seed + 1)
            case "any":
                self._request_samples(None, self.request.seed)
            case _ if not any(epoch.label_coverage for epoch in self.session.training_curves().finished_epochs):
                self._hint = NO_LEARNED_CLASS_NOTICE
            case "choose":
                self._open_class_line(self._request_class)
            case _:
                self._request_class(cast(int, self._digit_keys[int(key)]))
        self._update_view()

    @on(EventReported)
    def handle_event(self, message: EventReported) -> None:
        """Show the samples or the progress of the last request; ignore events of earlier ones."""
        if self._running_request != self.request:
            return
        match message.event:
            case SamplesGenerated(pictures):
                self._shown_request = self._running_request
                self._show_pictures(pictures)
            case Loading(description):
                self._progress_text = Text(f"loading {description} …")
            case Progress(description, done, total):
                self._progress_text = Text(f"{description}  ").append_text(
                    format_progress_bar(done / max(total, 1), 20)
                )
        if self._progress_timer is None:
            self._update_view()

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Start the request that arrived meanwhile, or show why the last one failed."""
        is_outdated = message.was_stopped or self._running_request != self.request
        self._running_request = self._progress_text = None
        if self._progress_timer is not None:
            self._progress_timer.stop()
            self._progress_timer = None
        self._end_work(message, self._start_request if is_outdated else None)

    def _request_class(self, class_id: int) -> None:
        self._request_samples(class_id, self.request.seed)
        self._update_view()

    def _request_samples(self, class_id: int | None, seed: int) -> None:
        """Start a request, as soon as the running one has stopped; pictures of another one are removed at once."""
        if (class_id, seed) != (self.request.class_id, self.request.seed):
            self._show_pictures(self.pictures[:0])
        self.request = SampleRequest(class_id, seed, self.query_one(ImageGrid).capacity)
        if self.event_worker.is_busy:
            self.event_worker.stop()
        else:
            self._start_request()

    def _show_pictures(self, pictures: Pixels) -> None:
        self.pictures = pictures
        self.query_one(ImageGrid).show_images(pictures)

    def _start_request(self) -> None:
        self._running_request = request = self.request
        self._progress_timer = self.set_timer(PROGRESS_DELAY_S, self._show_progress)
        self.event_worker.start(
            self.session.generate_samples(request.count, request.class_id, request.seed), target=self
        )

    def _show_progress(self) -> None:
        self._progress_timer = None
        self._update_view()

    def _update_view(self) -> None:
        request, classes = self.request, self.session.classes
        class_name = "any class" if request.class_id is None else f"class {classes.names[request.class_id]}"
        self.query_one(Header).set_text(f"{self._pending_text}samples of {class_name}, seed {request.seed}")
        prompt = self.query_one(Prompt)
        if self._progress_text is not None and self._progress_timer is None and not self._hint:
            prompt.set_text(self._progress_text)
        else:
            description = "decoded from random latent vectors"
            if request.class_id is not None:
                description = f"the most certain of {CANDIDATES_PER_SAMPLE * request.count:,} samples"
            help_text = format_digit_keys(classes, self._digit_keys) or description
            if self.event_worker.is_busy and self._shown_request != request:
                help_text = DRAWING_TEXT
            prompt.show_question(f"Samples of {class_name}:", help_text, self._hint, self._note)
