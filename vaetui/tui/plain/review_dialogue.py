"""The review as a dialogue by lines: numbered images with the same label, the most doubtful first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vaetui.engine.answers import ClassAnswer
from vaetui.engine.events import Event
from vaetui.errors import UserError
from vaetui.session.review_views import ReviewImage
from vaetui.signals import ShutdownRequested
from vaetui.tui.plain.commands import find_class, parse_typed_answer
from vaetui.tui.plain.tiles import TILE_COLUMNS, list_tile_lines, parse_marks
from vaetui.tui.presenters.cluster_text import format_key_line
from vaetui.tui.presenters.layout import GridLayout
from vaetui.tui.presenters.review_draft import Correction, ReviewDraft
from vaetui.tui.presenters.review_presenter import ReviewPresenter
from vaetui.tui.presenters.review_text import format_class_detail, format_correction
from vaetui.tui.session_protocol import Session

PAGE_ROWS = 3
"""Rows of images on a page: with their titles they fit 40 lines."""
NO_PICTURES_MESSAGE = "Pictures are left out; a review needs them. i: draw them"
COMMAND_KEYS = {
    **{"n": "next_class", "next": "next_class", "mixed": "varied"},
    **{"u": "undo", "undo": "undo", "U": "redo", "redo": "redo"},
}
"""What the keys of the screen are called here."""
TYPED_COMMANDS = {"review.next_class": "n", "review.undo": "u", "review.varied": "mixed", "review.close": "back"}
"""What is typed in place of a key that a sentence names."""
HELP = (
    ("Enter", "record the page: all images that have no mark are right as labelled"),
    ("4=cat 7=dog 9=x", "image 4 shows cat, 7 shows dog, 9 is unreadable; 4= takes the mark back"),
    ("4=.", "image 4 shows its second most probable class, which stands beside its number"),
    ('owl, 7, "n"', "review the class owl, that of digit key 7, or the class n"),
    ("n", "review the next class"),
    ("mixed", "doubtful images of all classes: as answers they teach the most; again: the class"),
    ("classes", "list the classes, most expected errors first"),
    ("u, U", "undo the last page, redo it"),
    ("i", "leave out the pictures, or draw them again"),
    ("back", "leave the review; recorded pages are saved"),
    ("q", "quit; recorded pages are saved"),
    ("?", "show this help"),
)


class PlainReview:
    """Prints pages of images, and reads corrections as lines."""

    def __init__(
        self,
        session: Session,
        draft: ReviewDraft,
        read_line: Callable[[], str],
        print_line: Callable[[str], None],
        print_events: Callable[[Iterator[Event]], object],
        shows_pictures: bool = True,
    ) -> None:
        """Review a session; the functions read and print a line, and print the events of a slow operation.

        `draft` keeps the marks of pages that are not recorded.
        """
        self.shows_pictures = shows_pictures
        """Whether images are drawn."""
        self._session = session
        self._read_line, self._print_line, self._print_events = read_line, print_line, print_events
        self._presenter = ReviewPresenter(session, session.digit_keys(), draft, _format_command)
        self._presenter.resize(GridLayout((1, 1), TILE_COLUMNS, PAGE_ROWS, 2))

    def run(self) -> None:
        """Show page after page until the user leaves. Raises UserError if there is nothing to review."""
        self._presenter.draft.begin(len(self._session.training_curves().finished_epochs))
        self._print_events(self._session.load_labelling())
        self._presenter.load()
        if not self._presenter.is_loaded:
            raise UserError(f"{self._presenter.hint}.")
        self._print_line(format_key_line(self._session.classes, self._presenter.digit_keys))
        shown_page: tuple[int, ...] | None = None
        while True:
            page = (self._presenter.class_id, *(image.image_index for image in self._presenter.shown_images))
            if page != shown_page:
                self._show_page()
                shown_page = page
            self._print_question()
            try:
                if not self._execute(self._read_line().strip()):
                    break
            except UserError as error:
                self._print_line(str(error))
        self._print_unrecorded_marks(". review: go on")

    def _execute(self, text: str) -> bool:
        """Handle a line, and return False if the user leaves the review."""
        presenter = self._presenter
        match text:
            case "back":
                return False
            case "q" | "leave":
                self._print_unrecorded_marks()
                raise ShutdownRequested
            case "?" | "help":
                for command, effect in HELP:
                    self._print_line(f"  {command:<18}{effect}")
            case "i" | "pictures":
                self.shows_pictures = not self.shows_pictures
                self._show_page()
            case "classes":
                self._print_classes()
            case "" if not self.shows_pictures:
                raise UserError(NO_PICTURES_MESSAGE)
            case "":
                self._handle_key("accept")
                if presenter.has_just_recorded:
                    self._print_line(f"{presenter.stopping_lines[0].capitalize()}.")
            case _ if text in COMMAND_KEYS:
                self._handle_key(COMMAND_KEYS[text])
            case _ if (class_id := self._find_reviewed_class(text)) is not None:
                presenter.show_class(class_id)
            case _:
                self._mark(text)
        return True

    def _find_reviewed_class(self, text: str) -> int | None:
        class_id = find_class(text, self._session.classes, self._presenter.digit_keys)
        return class_id if class_id in [item.class_id for item in self._presenter.review_classes] else None

    def _handle_key(self, key: str) -> None:
        self._presenter.handle_key(key)
        if message := self._presenter.hint or self._presenter.status_text:
            self._print_line(f"{message.removesuffix('.')}.")

    def _mark(self, text: str) -> None:
        """Mark the images that a line names, all of them or none."""
        presenter = self._presenter
        images = presenter.shown_images
        corrections: dict[int, Correction | None] = {}
        for position, mark in parse_marks(text, len(images)):
            image = images[position]
            answer = self._parse_mark(mark, image)
            corrections[image.image_index] = None if answer == ClassAnswer(image.label_class_id) else answer
        presenter.draft.marks = presenter.draft.marks.with_corrections(corrections)

    def _parse_mark(self, text: str, image: ReviewImage) -> Correction | None:
        if not text:
            return None
        classes, digit_keys = self._session.classes, self._presenter.digit_keys
        if text == "." and find_class(text, classes, digit_keys) is None:
            return ClassAnswer(image.second_class_id)
        return parse_typed_answer(text, classes, digit_keys)

    def _show_page(self) -> None:
        """Print the heading and the numbered images of the page."""
        presenter = self._presenter
        self._print_line("")
        self._print_line(f"Review of {presenter.format_heading(200)}")
        if not self.shows_pictures:
            self._print_line(NO_PICTURES_MESSAGE)
            return
        images = presenter.shown_images
        titles = [self._format_title(number, image) for number, image in enumerate(images, 1)]
        for line in list_tile_lines(titles, self._session.select_images([image.image_index for image in images])):
            self._print_line(line)

    def _format_title(self, number: int, image: ReviewImage) -> str:
        names = self._session.classes.names
        label = names[image.label_class_id] if self._presenter.shows_labels else ""
        second = f"or {names[image.second_class_id]}" if image.second_class_id != image.label_class_id else ""
        text = " ".join(part for part in (label, second) if part)
        return f"{number}: {text}" if text else f"{number}"

    def _print_question(self) -> None:
        presenter = self._presenter
        if not presenter.shown_images:
            self._print_line(f"{presenter.format_prompt()[0]} (?: help)")
            return
        question = f'Are these all "{self._session.classes.names[presenter.class_id]}"?'
        if presenter.shows_labels:
            question = "Is each as named?"
        if marks := self._list_marks():
            self._print_line(f"{question} Marked: {', '.join(marks)}. Enter: record the page (?: help)")
        else:
            self._print_line(f"{question} Enter: all right, or such as 4=cat 7=dog (?: help)")

    def _print_unrecorded_marks(self, end: str = "") -> None:
        if marks := self._list_marks():
            self._print_line(f"Not recorded yet: {', '.join(marks)}{end}")

    def _list_marks(self) -> list[str]:
        """Return the corrections of the page, such as "4: cat → dog"."""
        return [
            f"{number}: {format_correction(image.label_class_id, correction, self._session.classes)}"
            for number, image in enumerate(self._presenter.shown_images, 1)
            if (correction := self._presenter.find_correction(image)) is not None
        ]

    def _print_classes(self) -> None:
        for review_class in self._presenter.review_classes:
            name = self._session.classes.names[review_class.class_id]
            self._print_line(f"  {name}: {format_class_detail(review_class)}")


def _format_command(binding_id: str) -> str:
    """Return what is typed in place of a key."""
    return TYPED_COMMANDS[binding_id]
