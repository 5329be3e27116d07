"""The map screen: all images as points in the plane, in the colours of their classes, with the round's clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal

from vaetui.engine.answers import ClusterPath
from vaetui.engine.events import ImageMap, MapComputed
from vaetui.tui.event_worker import EventReported, WorkerEnded
from vaetui.tui.keymap import MAP_GLOSSARY, MAP_KEYS
from vaetui.tui.presenters.line_dialogue import LineDialogue
from vaetui.tui.presenters.map_presenter import NO_CLASSES_NOTE, MapPresenter, build_lines
from vaetui.tui.presenters.size_breakpoints import WIDE_COLUMNS
from vaetui.tui.screens.prompt_screen import RESERVED_ROWS
from vaetui.tui.screens.worker_screen import WorkerScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.styled_lines import StyledLines

MAX_LEGEND_CELLS, MAX_WIDE_LEGEND_CELLS = 18, 32
"""Most cells of a line of the legend on narrow and wide terminals."""
COMPUTING_NOTE = "Computing the map …"


class MapScreen(WorkerScreen):
    """The map beside its legend, and a prompt about the cluster nearest to the cursor."""

    BINDINGS = build_bindings(MAP_KEYS)
    DEFAULT_CSS = """
    MapScreen { layout: vertical; overflow: hidden; }
    MapScreen Horizontal { height: 1fr; }
    MapScreen #legend { height: 1fr; margin-left: 1; }
    """
    glossary = MAP_GLOSSARY

    def __init__(
        self,
        session: Session,
        on_jump: Callable[[ClusterPath], None] | None = None,
        focus_path: ClusterPath = (),
        draws_letters: bool = False,
    ) -> None:
        """Show the map of the session, with the cursor at a cluster of the round.

        `on_jump` is called with the chosen cluster after the map has closed; None if no round waits for answers.
        """
        super().__init__(session)
        self.presenter = MapPresenter(session.classes, can_label=on_jump is not None, draws_letters=draws_letters)
        """The part that is shown, the cursor and the chosen classes."""
        self._on_jump, self._focus_path = on_jump, focus_path
        self._whole_map: ImageMap | None = None
        self._requested_class_ids: tuple[int, ...] = ()
        self._running_class_ids: tuple[int, ...] = ()

    def compose_body(self) -> ComposeResult:
        """Create the plot, the legend and the prompt."""
        with Horizontal():
            yield StyledLines(id="plot")
            yield StyledLines(id="legend")
        yield Prompt()

    def on_mount(self) -> None:
        """Compute the map of all classes."""
        self._request_map(())

    def handle_bound_key(self, key: str) -> None:
        """Move, zoom, filter, jump to a cluster or close."""
        self._hint = self._note = ""
        match self.presenter.handle_key(key):
            case "close":
                self._close()
                return
            case "jump":
                self._jump()
                return
            case "show_all":
                self._choose_classes(())
            case "filter" if self.presenter.image_map is not None:
                choices = self.presenter.list_filter_choices()
                self.open_line(LineDialogue("Show alone:", choices, on_choice=self._choose_classes))
        self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Show that the key is unknown; digits have no classes here."""
        self._hint = self.unknown_key_hint
        self._update_view()

    @on(EventReported)
    def handle_event(self, message: EventReported) -> None:
        """Show the map that was computed, unless another one was requested meanwhile."""
        if isinstance(message.event, MapComputed) and self._running_class_ids == self._requested_class_ids:
            image_map, class_ids = message.event.image_map, self._requested_class_ids
            focus_path = self._focus_path if self._whole_map is None else ()
            if not class_ids:
                self._whole_map = image_map
                self._note = "" if image_map.separated_class_ids else NO_CLASSES_NOTE
            self.presenter.show_map(image_map, class_ids, focus_path)
            self._update_view()

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Compute the map that was requested meanwhile, or show why there is none."""
        is_outdated = self._running_class_ids != self._requested_class_ids
        is_needed = bool(self._requested_class_ids) or self._whole_map is None
        self._end_work(message, self._start_worker if is_outdated and is_needed else None)

    def _choose_classes(self, class_ids: object) -> None:
        self._request_map(cast("tuple[int, ...]", class_ids))
        self._update_view()

    def _request_map(self, class_ids: tuple[int, ...]) -> None:
        """Compute a map, as soon as the computation of another one has stopped; that of all classes is kept."""
        self._requested_class_ids = class_ids
        if not class_ids and self._whole_map is not None:
            self.presenter.show_map(self._whole_map)
        elif self.event_worker.is_busy:
            self.event_worker.stop()
        else:
            self._start_worker()

    def _start_worker(self) -> None:
        self._running_class_ids = self._requested_class_ids
        self.event_worker.start(self.session.map_images(self._requested_class_ids), target=self)

    def _jump(self) -> None:
        cluster = self.presenter.nearest_cluster
        self._close()
        if cluster is not None and self._on_jump is not None:
            self._on_jump(cluster.path)

    def _update_view(self) -> None:
        presenter, (width, height) = self.presenter, self.app.size
        legend_cells = presenter.count_legend_cells(
            MAX_WIDE_LEGEND_CELLS if width >= WIDE_COLUMNS else MAX_LEGEND_CELLS
        )
        legend = self.query_one("#legend", StyledLines)
        legend.styles.width = legend_cells
        rows = max(height - RESERVED_ROWS, 1)
        presenter.resize(width - legend_cells - 1, rows)
        self.query_one(Header).set_text(f"{self._pending_text}{presenter.describe_view()}")
        if presenter.image_map is not None:
            frame = presenter.build_frame()
            letters = presenter.letters if presenter.draws_letters else None
            self.query_one("#plot", StyledLines).show_lines(build_lines(frame, letters))
            legend.show_lines(presenter.list_legend(frame, rows, legend_cells))
        self._update_prompt()

    def _update_prompt(self) -> None:
        presenter, prompt = self.presenter, self.query_one(Prompt)
        if self.event_worker.is_busy and not self._hint:
            prompt.set_text(Text(COMPUTING_NOTE, "bold"))
            return
        format_key = self._vaetui_app.format_key
        help_text = f"{format_key('map.jump')}: label it" if self._on_jump is not None else ""
        if presenter.chosen_class_ids:
            help_text = f"{presenter.describe_filter()} · {format_key('map.close')}: all classes"
        prompt.show_question(presenter.describe_cursor(), help_text, self._hint or presenter.hint, self._note)
