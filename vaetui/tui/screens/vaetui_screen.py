"""Base class of the screens: handles keys in their order, and asks questions in a line at the bottom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.events import Key, Paste, Resize
from textual.screen import Screen
from textual.widgets import Static

from vaetui.tui.binding_tables import Glossary
from vaetui.tui.event_worker import AppProtocol
from vaetui.tui.key_bindings import KeyBinding
from vaetui.tui.keymap import SMALL_TERMINAL_KEYS
from vaetui.tui.presenters.line_dialogue import LINE_ALT_KEYS, Choice, LineDialogue
from vaetui.tui.presenters.size_breakpoints import MIN_SIZE_CELLS, TOO_SMALL_CLASSES
from vaetui.tui.session_access import REFUSED_BINDING_IDS, describe_refusal
from vaetui.tui.settings import get_keys
from vaetui.tui.terminal.input_parser import PendingInput, is_escape_pair, split_escape_pair
from vaetui.tui.widgets.footer import Footer
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.line_panel import LinePanel

PASTE_NOTICE = "Ignored: pasted text (only a line takes it)"
NO_DECODER_NOTICE = "No samples: this session has no decoder. A new one has, with --decoder"
"""Shown when samples are requested in a session whose networks cannot generate images."""


class VaetuiScreen(Screen[None]):
    """Base class of a screen that handles keys, and opens a line that takes them all while it is open.

    Bindings of the screen itself use the action `press`.
    """

    DEFAULT_CSS = """
    VaetuiScreen { layers: default line; }
    """

    glossary: Glossary | None = None
    """Terms that the help explains; None if the screen has no help."""
    refused_key_bindings: Sequence[KeyBinding] = ()
    """The bindings of which some are refused while a session is only watched, or trained elsewhere."""

    _is_dispatching = False
    _line: LineDialogue | None = None

    def __init__(self, session_name: str, header_text: str = "") -> None:
        """Create a screen with the session name at the left of its header, and a text at the right."""
        super().__init__()
        self._session_name, self._header_text = session_name, header_text

    def compose(self) -> ComposeResult:
        """Create the header, the widgets of this screen, the footer and the notice of a terminal that is too small."""
        yield Header(self._session_name, self._header_text)
        yield from self.compose_body()
        yield Footer()
        yield LinePanel()
        columns, rows = MIN_SIZE_CELLS
        notice = f"vaetui needs at least {columns} columns and {rows} rows. Enlarge the terminal."
        yield Static(notice, classes="size-notice")

    def compose_body(self) -> ComposeResult:
        """Create the widgets between header and footer; the base class has none."""
        yield from ()

    def open_screen(self, screen: Screen[None], callback: Callable[[None], None] | None = None) -> None:
        """Open a screen over this one, and call `callback` when it closes; nothing is painted before its layout."""
        self._vaetui_app.defer_paint()
        self.app.push_screen(screen, callback)

    @property
    def is_line_open(self) -> bool:
        """Whether a line dialogue receives all keys."""
        return self._line is not None

    def open_line(self, dialogue: LineDialogue) -> None:
        """Ask a question in a panel at the bottom; until it is closed, all keys and pasted text go to it."""
        self._line = dialogue
        self.query_one(LinePanel).open_dialogue(dialogue)

    def close_line(self) -> None:
        """Close the panel without a choice."""
        self._line = None
        self.query_one(LinePanel).hide()
        self._vaetui_app.show_deferred_phase()

    def list_targets(self) -> Sequence[Choice]:
        """Return the clusters that the command palette can go to, with their number as label; here none."""
        return ()

    def go_to_target(self, value: object) -> None:
        """Go to the value of one of the targets."""

    async def run_command(self, binding_id: str) -> None:
        """Run the command of a binding as if its key was pressed, if it is active."""
        for active_binding in self.active_bindings.values():
            if active_binding.binding.id == binding_id:
                self._is_dispatching = True
                await self.app.run_action(active_binding.binding.action, active_binding.node)
                self._is_dispatching = False
                return

    def is_refused(self, parameters: tuple[object, ...]) -> bool:
        """Return whether the session may not be changed now by the command with these parameters of `press`."""
        refused_ids = REFUSED_BINDING_IDS[self._vaetui_app.access]
        ids = [binding.id for binding in self.refused_key_bindings if binding.id in refused_ids]
        return parameters in [(binding_id.partition(".")[2],) for binding_id in ids]

    def refuse_key(self, key: str) -> bool:
        """Show why a key is refused that would change the session; return False for any other key."""
        app = self._vaetui_app
        if app.access == "full" or not any(
            key in get_keys(app.settings.keys, binding.id) for binding in self.refused_key_bindings
        ):
            return False
        self.show_notice(describe_refusal(app.access, self._session_name))
        return True

    def handle_bound_key(self, key: str) -> None:
        """Handle the key of this screen with this name; the base class has none."""

    def on_unbound_key(self, key: str) -> None:
        """Show a hint about a key without a binding; the base class has one only for keys that are refused."""
        self.refuse_key(key)

    def show_notice(self, text: str) -> None:
        """Show a notice; the base class has no line for it."""

    async def on_key(self, event: Key) -> None:
        """Handle the keys that wait in the app, of which this is one."""
        event.stop()
        await self.handle_pending_input()

    async def on_paste(self, event: Paste) -> None:
        """Handle the keys and pasted texts that wait in the app, of which this is one."""
        event.stop()
        await self.handle_pending_input()

    @on(PendingInput)
    async def handle_pending_input(self) -> None:
        """Handle the input that waits in the app while this screen is the current one; a key may open another one."""
        app = self._vaetui_app
        while app.pending_input and self.app.screen is self:
            event = app.pending_input.popleft()
            if isinstance(event, Key):
                await self._handle_key(event)
            else:
                self._handle_paste(event.text)
        if app.pending_input:
            self.app.screen.post_message(PendingInput())

    async def on_resize(self, event: Resize) -> None:
        """Ignore outdated sizes: two sizes in the queue would otherwise restore each other for ever."""
        if event.size != self.app.size:
            event.prevent_default()
        elif self._line is not None:
            self.query_one(LinePanel).open_dialogue(self._line)

    def action_press(self, key: str) -> None:
        """Handle a key by name, but ignore keys queued for a screen that has closed."""
        if self._is_dispatching:
            self.handle_bound_key(key)

    async def _handle_key(self, event: Key) -> None:
        """Handle a key here or in the open line; Escape and a key that arrived together are two keys."""
        is_bound = self._line is None and bool(self._find_binding_id(event))
        if is_escape_pair(event) and not is_bound and event.key not in LINE_ALT_KEYS:
            self._vaetui_app.pending_input.extendleft(reversed(split_escape_pair(event)))
        elif self._line is not None and not self._is_too_small and not self._suspends(event):
            self._handle_line_key(self._line, event)
        else:
            await self._dispatch_key(event)

    def _handle_line_key(self, line: LineDialogue, event: Key) -> None:
        """Pass a key to the open line; it closes before its choice is handed over, which may open another one."""
        if line.handle_key(event.key, event.character):
            self.close_line()
            line.finish()
        else:
            self.query_one(LinePanel).show_dialogue(line)

    def _handle_paste(self, text: str) -> None:
        """Paste into the open line; elsewhere pasted text would act like keys."""
        if self._line is None:
            self.show_notice(PASTE_NOTICE)
        else:
            self._line.paste(text)
            self.query_one(LinePanel).show_dialogue(self._line)

    async def _dispatch_key(self, key: Key) -> None:
        """Run the binding of a key, here or in the app; in a terminal that is too small only few bindings work."""
        if self._is_too_small and self._find_binding_id(key) not in SMALL_TERMINAL_KEYS:
            return
        self._is_dispatching = True
        # Textual tries all bindings of the key, of which the first may be disabled.
        is_handled = await self.app._check_bindings(key.key)
        self._is_dispatching = False
        if not is_handled:
            self.on_unbound_key(key.key)

    @property
    def unknown_key_hint(self) -> str:
        """The hint about a key without a binding."""
        return f"Unknown key. {self._vaetui_app.format_key('any.help')} lists all keys"

    @property
    def _vaetui_app(self) -> AppProtocol:
        return cast(AppProtocol, self.app)

    def _find_binding_id(self, key: Key) -> str:
        active_binding = self.active_bindings.get(key.key)
        return (active_binding and active_binding.binding.id) or ""

    def _suspends(self, key: Key) -> bool:
        """Return whether a key suspends the program; one that types a character belongs to the open line."""
        return self._find_binding_id(key) == "any.suspend" and not key.is_printable

    @property
    def _is_too_small(self) -> bool:
        return any(map(self.has_class, TOO_SMALL_CLASSES))
