"""Base class of the screens: keys that change something act only if the burst guard accepts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.events import Key, Paste, Resize
from textual.screen import Screen
from textual.widgets import Static

from vaetui.tui.event_worker import AppProtocol
from vaetui.tui.keymap import APP_CONFIRMED_KEYS, SMALL_TERMINAL_KEYS, Glossary
from vaetui.tui.presenters.line_dialogue import Choice, LineDialogue
from vaetui.tui.presenters.size_breakpoints import MIN_SIZE_CELLS, TOO_SMALL_CLASSES
from vaetui.tui.widgets.footer import Footer
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.line_panel import LinePanel

PLAIN_KEYS = frozenset([*"0123456789", "enter", "space"])
"""Keys that no reply of a terminal consists of exclusively."""
DROPPED_KEYS_NOTICE = "Ignored: keys arrived too fast. Press again."
PASTE_NOTICE = "Ignored: pasted text. Paste into a line, for example after /"
UNKNOWN_KEY_HINT = "Unknown key. ? lists all keys"
TIMER_KEY = "timer"
"""A key that no keyboard has; it releases the keys that the guard holds."""


class KeyGuardedScreen(Screen[None]):
    """Base class of a screen whose bindings act only on keys that the burst guard accepts.

    Bindings of the screen itself use the action `press`, which ignores keys of other screens.
    """

    CONFIRMED_KEYS: ClassVar[frozenset[str]] = frozenset()
    """Ids of the bindings that the guard checks: they change the session, or leave the screen."""

    DEFAULT_CSS = """
    KeyGuardedScreen { layers: default line; }
    """

    glossary: Glossary | None = None
    """Terms that the help explains; None if the screen has no help."""

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

    def handle_bound_key(self, key: str) -> None:
        """Handle the key of this screen with this name; the base class has none."""

    def on_unbound_key(self, key: str) -> None:
        """Show a hint about a key without a binding; the base class has no line for it."""

    def show_notice(self, text: str) -> None:
        """Show a notice; the base class has no line for it."""

    def show_pending_key(self, binding_id: str) -> None:
        """Show that a key was received, which acts as soon as the guard releases it."""

    async def on_key(self, event: Key) -> None:
        """Dispatch the keys that the guard releases, and this one if it passes."""
        event.stop()
        if self._line is not None and event.key != TIMER_KEY:
            self._handle_line_key(self._line, event)
            return
        for screen, key in self._vaetui_app.guard.release_keys(event.time):
            if screen is self or self._find_binding_id(key) in APP_CONFIRMED_KEYS:
                await self._dispatch_key(key)
        if event.key != TIMER_KEY and self._filter_key(event):
            await self._dispatch_key(event)

    def on_paste(self, event: Paste) -> None:
        """Paste into the open line; elsewhere pasted text would act like keys."""
        event.stop()
        if self._line is None:
            self.show_notice(PASTE_NOTICE)
        else:
            self._line.paste(event.text)
            self.query_one(LinePanel).show_dialogue(self._line)

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

    def _handle_line_key(self, line: LineDialogue, event: Key) -> None:
        """Pass a key to the open line; it closes before its choice is handed over, which may open another one."""
        if line.handle_key(event.key, event.character):
            self.close_line()
            line.finish()
        else:
            self.query_one(LinePanel).show_dialogue(line)

    async def _dispatch_key(self, key: Key) -> None:
        """Run the binding of a key, here or in the app; in a terminal that is too small only few bindings work."""
        if any(map(self.has_class, TOO_SMALL_CLASSES)) and self._find_binding_id(key) not in SMALL_TERMINAL_KEYS:
            return
        self._is_dispatching = True
        # Textual tries all bindings of the key, of which the first may be disabled.
        is_handled = await self.app._check_bindings(key.key)
        self._is_dispatching = False
        if not is_handled:
            self.on_unbound_key(key.key)

    @property
    def _vaetui_app(self) -> AppProtocol:
        return cast(AppProtocol, self.app)

    def _find_binding_id(self, key: Key) -> str:
        active_binding = self.active_bindings.get(key.key)
        return (active_binding and active_binding.binding.id) or ""

    def _filter_key(self, event: Key) -> bool:
        """Return whether the guard lets the key act now; start a timer for a key that it holds."""
        guard = self._vaetui_app.guard
        dropped_count = guard.dropped_count
        binding_id = self._find_binding_id(event)
        needs_confirmation = binding_id in self.CONFIRMED_KEYS or binding_id in APP_CONFIRMED_KEYS
        decision = guard.check_key((self, event), event.time, needs_confirmation, event.key in PLAIN_KEYS)
        if decision == "hold":
            self.app.set_timer(guard.quiet_s, self._post_timer_key)  # of the app: this screen may close before
            self.show_pending_key(binding_id)
        if guard.dropped_count > dropped_count:
            self.show_notice(DROPPED_KEYS_NOTICE)
        return decision == "pass"

    def _post_timer_key(self) -> None:
        # Through the queue of the app, behind keys that arrived since: those may drop the held keys.
        self.app.post_message(Key(TIMER_KEY, None))
