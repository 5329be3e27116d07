"""The labelling screen: hands keys to the desk and shows what lies there; it knows no meaning of a key."""

from __future__ import annotations

from typing import ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize

from vaetui.engine.answers import Path, Split, written
from vaetui.engine.classes import Added
from vaetui.errors import Trouble
from vaetui.session.views import Which
from vaetui.tui.labelling_keys import FIGURES, KEYS, WEIGHTY
from vaetui.tui.presenters.cluster_text import progress_of
from vaetui.tui.presenters.key_parser import Deed
from vaetui.tui.presenters.labelling import Desk
from vaetui.tui.presenters.round_gain import gained
from vaetui.tui.screens.class_picker import NameScreen, Taken
from vaetui.tui.screens.classes import ClassesScreen
from vaetui.tui.screens.guarded import Guarded
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.footer import Keys
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.labelling_view import Table
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.size_notice import Room
from vaetui.tui.worker import Ended, Following


class LabellingScreen(Guarded):
    """The focused centre and its members, all tiles below, and one line that asks."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS
    WEIGHTY = WEIGHTY
    FIGURES = FIGURES
    DEFAULT_CSS = """
    LabellingScreen { layout: vertical; overflow: hidden; }
    """

    def __init__(self, session: Session) -> None:
        """Ask for answers to the round of that session."""
        super().__init__()
        self.desk = Desk(session)
        """The round, the focus and the keys so far."""
        self.desk.note = gained(session.curves().epochs)
        self._session = session
        self._splitting: Path | None = None
        self._waiting: tuple[Deed, Path] | None = None
        self._members: tuple[Path, Which] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Header(self._session.name)
        yield Table()
        yield Prompt()
        yield Keys()
        yield Room()

    def on_mount(self) -> None:
        """Ask at once, and show the pictures when the screen stands: until then Textual sends all of it again."""
        self._head()
        self._ask()
        self.call_after_refresh(self.call_after_refresh, self._appear)

    async def on_resize(self, event: Resize) -> None:
        """Lay out the table anew where another size wants it."""
        if await self.query_one(Table).suit(self.app.size):
            self._members = None
            self._show()
        self._head()

    def press(self, key: str) -> None:
        """Take a key by name, unless a cluster is being split."""
        if self._splitting is None:
            deed = self.desk.press(key, self.query_one(Table).columns)
            if deed is not None:
                self._do(deed, self.desk.tile.path)
            self._show()

    def unbound(self, key: str) -> None:
        """Say what would work instead of that key."""
        self.press("other")

    def tell(self, words: str) -> None:
        """Say that behind the question."""
        self.desk.note = words
        self._ask()

    @on(Ended)
    def look_again(self) -> None:
        """Show the parts of what was split, or the members that are loaded now."""
        path, self._splitting = self._splitting, None
        if self._session.phase != "labelling":
            return
        if path is not None:
            self.desk.look((*path, 0))
            self.desk.note = f"{written(path)} is split, u takes it back"
        self._members = None
        if self.is_current:
            self._do_waiting()
        self._show()

    def _do_waiting(self) -> None:
        """Do what waited for the networks, as soon as they are there and nothing else is answered on top of it."""
        if self._waiting is not None and not cast(Following, self.app).follower.busy:
            waiting, self._waiting = self._waiting, None
            self._do(*waiting)

    def _do(self, deed: Deed, path: Path) -> None:
        app = cast(Following, self.app)
        if deed in ("choose", "classes"):
            app.veil()
            self.app.push_screen(self._names() if deed == "choose" else ClassesScreen(self.desk), self._back)
        elif app.follower.busy:
            self._waiting = deed, path
            self.desk.note = "the networks are still being loaded: then this is done"
        else:
            try:
                if isinstance(deed, Split):
                    app.follower.follow(self._session.split(path, deed.parts), to=self.app)
                    self._splitting = path
                elif deed == "go":
                    self._session.go_on()
                    app.proceed()
            except Trouble as trouble:
                self.desk.note = str(trouble)

    def _names(self) -> NameScreen:
        """Ask for a class by its letters, or for a new one."""
        known = self._session.classes
        return NameScreen(
            self._session.name, "class?", known, known.offered, self._choose, lambda name: Added(len(known), name)
        )

    def _choose(self, taken: Taken) -> None:
        """Take a class as the answer that is being typed, and first add it where it is new."""
        if isinstance(taken, int):
            self.desk.choose(taken)
        elif self.desk.amend(taken):
            self.desk.choose(taken.label)

    def _back(self, _: None) -> None:
        """Show what another screen changed, and do what waited for the networks meanwhile."""
        self._do_waiting()
        self._show()

    def _appear(self) -> None:
        cast(Following, self.app).veil()
        self._show()

    def _show(self) -> None:
        """Show what lies on the desk, unless the round is over; each part keeps quiet where nothing changed."""
        if self._session.phase != "labelling":
            return
        desk, table = self.desk, self.query_one(Table)
        self._head()
        self._ask()
        table.show(desk.board, desk.at, self._session.classes)
        wanted = (desk.tile.path, desk.which)
        if wanted != self._members and self._splitting is None:
            self._members = wanted
            table.show_members(desk.which, self._session.members(*wanted, table.members))

    def _head(self) -> None:
        self.query_one(Header).say(progress_of(self.desk.board, self.app.size.width))

    def _ask(self) -> None:
        desk = self.desk
        if self._splitting is not None:
            self.query_one(Prompt).say(Text(f"splitting {written(self._splitting)} …", "bold"))
        else:
            self.query_one(Prompt).ask(desk.entry, desk.spot, desk.note)
