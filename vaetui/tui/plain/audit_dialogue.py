"""The audit as a dialogue by lines: one image after the other, then numbered tiles of pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from vaetui.engine.answers import ClassAnswer, Cleared, Unreadable
from vaetui.engine.audit_plans import PLANS
from vaetui.engine.clusters import Pixels
from vaetui.engine.events import Event
from vaetui.errors import UserError
from vaetui.session.audit_views import AuditCheck, AuditItemView, AuditResult, AuditView
from vaetui.signals import ShutdownRequested
from vaetui.tui.plain.commands import find_class, parse_typed_answer
from vaetui.tui.plain.tiles import list_tile_lines, parse_marks
from vaetui.tui.presenters.audit_presenter import is_marked
from vaetui.tui.presenters.audit_text import (
    describe_plan,
    format_audit_result,
    list_class_rows,
    list_confusion_rows,
    list_result_rows,
    list_stratum_rows,
)
from vaetui.tui.presenters.cluster_text import format_key_line
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.text_images import fit_image, to_ascii_lines

NO_PICTURES_MESSAGE = "Pictures are left out; an audit needs them. i: draw them"
HELP = (
    ("7, owl", "the image shows the class of digit key 7, or the class owl"),
    ("x", "unreadable: counted apart"),
    ("Enter", "on a page: all images without a mark are right"),
    ("4=cat 7=dog 9=x", "on a page: image 4 shows cat, 7 shows dog, 9 is unreadable; 4= takes the mark back"),
    ("u, U", "undo, redo"),
    ("i", "leave out the pictures, or draw them again"),
    ("abandon", "end the audit without a result; asks first"),
    ("back", "leave the audit; it goes on here next time"),
    ("q", "quit; every check is already saved"),
    ("?", "show this help"),
)


class PlainAudit:
    """Prints the images of an audit, and reads what they show as lines."""

    def __init__(
        self,
        session: Session,
        read_line: Callable[[], str],
        print_line: Callable[[str], None],
        print_events: Callable[[Iterator[Event]], object],
        shows_pictures: bool = True,
    ) -> None:
        """Audit a session; the functions read and print a line, and print the events of a slow operation."""
        self.shows_pictures = shows_pictures
        """Whether images are drawn."""
        self._session, self._audits = session, session.audits
        self._read_line, self._print_line, self._print_events = read_line, print_line, print_events
        self._digit_keys = session.digit_keys()
        self._is_abandoning = False

    def run(self, plan: str = "") -> None:
        """Go on with the open audit, else start one of this plan or of the one that is typed, until it is finished.

        Raises UserError if there is nothing to audit.
        """
        view = self._audits.view
        is_open = view is not None and view.part != "done"
        if view is not None and is_open:
            plan = view.plan
        if not plan:
            if view is not None and view.result is not None:
                self._print_line(f"Last audit: {format_audit_result(view.result)}.")
            plan = self._ask_for_plan()
        if not plan:
            return
        self._print_events(self._audits.start(plan))
        self._print_line(f"{plan.capitalize()} audit: {describe_plan(plan)}. ?: help")
        self._print_line(format_key_line(self._session.classes, self._digit_keys))
        self._judge_images()

    def _ask_for_plan(self) -> str:
        """Return the plan that is typed, or "" if the line is empty."""
        for name in PLANS:
            self._print_line(f"  {name}: {describe_plan(name)}")
        while True:
            self._print_line("Audit: quick or full? (Enter: none)")
            text = self._read_line().strip().lower()
            plans = [name for name in PLANS if text and name.startswith(text)]
            if plans or not text:
                return plans[0] if plans else ""

    def _judge_images(self) -> None:
        """Ask about images until all are judged, or the user leaves."""
        shown_positions: list[int] = []
        while (view := self._audits.view) is not None and view.part != "done":
            positions = [item.position for item in view.items]
            if positions != shown_positions:
                self._show_images(view)
                shown_positions = positions
            self._print_question(view)
            try:
                if not self._execute(self._read_line().strip(), view):
                    return
            except UserError as error:
                self._print_line(str(error))
        if view is not None and view.result is not None:
            self._print_result(view.result)

    def _execute(self, text: str, view: AuditView) -> bool:
        """Handle a line, and return False if the user leaves the audit."""
        was_abandoning, self._is_abandoning = self._is_abandoning, False
        is_class = view.is_blind and find_class(text, self._session.classes, self._digit_keys) is not None
        match text:
            case _ if is_class:  # it may be named like a command
                self._record(self._parse_checks(text, view), view)
            case "":
                self._accept(view)
            case "back":
                return False
            case "q" | "leave":
                raise ShutdownRequested
            case "?" | "help":
                for command, effect in HELP:
                    self._print_line(f"  {command:<18}{effect}")
            case "i" | "pictures":
                self.shows_pictures = not self.shows_pictures
                self._show_images(view)
            case "u" | "undo":
                self._print_line("Undone" if self._audits.undo() else "Nothing to undo")
            case "U" | "redo":
                self._print_line("Redone" if self._audits.redo() else "Nothing to redo")
            case "abandon" if was_abandoning:
                self._audits.abandon()
                self._print_line("The audit ended without a result.")
            case "abandon":
                self._is_abandoning = True
                self._print_line("End the audit without a result? abandon again: yes")
            case _:
                self._record(self._parse_checks(text, view), view)
        return True

    def _accept(self, view: AuditView) -> None:
        """Accept a page; a single image needs a class."""
        if view.is_blind:
            raise UserError("Type the class of the image, or x if it is unreadable.")
        self._record([(item.position, _accept(item)) for item in view.items if item.check is None], view)

    def _record(self, checks: Sequence[tuple[int, AuditCheck]], view: AuditView) -> None:
        self._audits.record(checks)
        if view.is_blind:
            self._print_line(f"Saved: image {view.position} = {self._describe(checks[0][1])}")
            return
        changed = self._audits.view
        assert changed is not None
        is_same_page = [item.position for item in changed.items] == [item.position for item in view.items]
        self._print_line(f"Saved: {len(self._list_marks(changed))} marked" if is_same_page else "Saved")

    def _parse_checks(self, text: str, view: AuditView) -> list[tuple[int, AuditCheck]]:
        """Return the checks that a line contains, of the image or of the tiles that it names."""
        if view.is_blind:
            return [(view.items[0].position, self._parse_check(text))]
        checks: list[tuple[int, AuditCheck]] = []
        for index, class_text in parse_marks(text, len(view.items)):
            item = view.items[index]
            check = self._parse_check(class_text) if class_text else Cleared()
            is_shown_class = isinstance(check, ClassAnswer) and check.class_id == item.shown_class_id
            checks.append((item.position, Cleared() if is_shown_class else check))
        return checks

    def _parse_check(self, text: str) -> ClassAnswer | Unreadable:
        return parse_typed_answer(text, self._session.classes, self._digit_keys)

    def _show_images(self, view: AuditView) -> None:
        """Print the image, or the numbered tiles of the page."""
        self._print_line("")
        if not self.shows_pictures:
            self._print_line(NO_PICTURES_MESSAGE)
            return
        pixels = self._session.select_images([item.image_index for item in view.items])
        if view.is_blind:
            for line in "\n".join(_draw(pixels[0], 28, 28)).strip("\n").split("\n"):
                self._print_line(line)
            return
        titles = [self._format_title(index, view) for index in range(len(view.items))]
        for line in list_tile_lines(titles, pixels):
            self._print_line(line)

    def _format_title(self, index: int, view: AuditView) -> str:
        item = view.items[index]
        class_id = item.shown_class_id
        is_mixed = len({other.shown_class_id for other in view.items}) > 1
        return f"{index + 1}: {self._name(class_id)}" if is_mixed and class_id is not None else f"{index + 1}"

    def _print_question(self, view: AuditView) -> None:
        if view.is_blind:
            self._print_line(f"Image {view.position} of {view.total}: class? (?: help)")
            return
        class_ids = {item.shown_class_id for item in view.items}
        (class_id,) = class_ids if len(class_ids) == 1 else (None,)
        question = "is each as named?" if class_id is None else f'are these all "{self._name(class_id)}"?'
        marks = self._list_marks(view)
        if marks:
            question += f" Marked: {', '.join(marks)}. Enter: the others are right"
        else:
            question += " Enter: all right, or such as 4=cat 7=dog"
        self._print_line(f"Page {view.page_number} of {view.page_count}: {question} (?: help)")

    def _list_marks(self, view: AuditView) -> list[str]:
        return [
            f"{number} = {self._describe(item.check)}" for number, item in enumerate(view.items, 1) if is_marked(item)
        ]

    def _describe(self, check: AuditCheck | None) -> str:
        return self._name(check.class_id) if isinstance(check, ClassAnswer) else "unreadable"

    def _name(self, class_id: int) -> str:
        return self._session.classes.names[class_id]

    def _print_result(self, result: AuditResult) -> None:
        self._print_line(f"{format_audit_result(result)}.")
        rows = [*list_result_rows(result)[1:], *list_stratum_rows(result)]
        rows += [(f"class {name}" if name != "not checked" else name, text) for name, text in list_class_rows(result)]
        names = self._session.classes.names
        rows += [(f"labelled {name}", f"seen as {text}") for name, text in list_confusion_rows(result, names)]
        for heading, text in rows:
            self._print_line(f"  {heading}: {text}")


def _accept(item: AuditItemView) -> ClassAnswer:
    assert item.shown_class_id is not None
    return ClassAnswer(item.shown_class_id)


def _draw(pixels: Pixels, columns: int, rows: int) -> list[str]:
    return [line.rstrip() for line in to_ascii_lines(fit_image(pixels, columns, rows))]
