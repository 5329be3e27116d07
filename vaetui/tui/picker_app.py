"""The app of the session picker, which exits with the choice of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from vaetui.tui.keyed_app import DEFAULT_SETTINGS, KeyedApp
from vaetui.tui.presenters.picker_presenter import PickerChoice
from vaetui.tui.screens.picker import HEADING, PickerScreen
from vaetui.tui.settings import AppSettings

if TYPE_CHECKING:
    # Imported for types only: NumPy would delay the first frame.
    from vaetui.session.session_catalogue import SessionCatalogue

EXPORT_RUNS_NOTICE = "An export is running. Wait until it ends"


class PickerApp(KeyedApp):
    """The list of all sessions in the terminal."""

    def __init__(
        self,
        catalogue: SessionCatalogue,
        theme: str = "dark",
        settings: AppSettings = DEFAULT_SETTINGS,
        failed_choice: PickerChoice | None = None,
        problem: str = "",
    ) -> None:
        """Show the sessions of the catalogue; `theme` is one of `keyed_app.THEME_NAMES`.

        `failed_choice` is an earlier choice that could not be followed because of `problem`, which is shown.
        """
        super().__init__(theme, settings)
        self.choice: PickerChoice | None = None
        """What the user chose; None if the user left."""
        self._catalogue, self._failed_choice, self._problem = catalogue, failed_choice, problem

    def get_default_screen(self) -> Screen[Any]:
        """Return the picker, which shows names in the first frame and states as soon as they are read."""
        return PickerScreen(self._catalogue, self._failed_choice, self._problem)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the switch of picture modes: there are no pictures here."""
        return action != "pictures"

    @property
    def heading(self) -> str:
        """The text at the left of the header."""
        return HEADING

    def choose(self, choice: PickerChoice) -> None:
        """Exit with a choice, unless an export runs."""
        if self._label_exporter is not None and self._label_exporter.is_busy:
            self.show_notice(EXPORT_RUNS_NOTICE)
        else:
            self.choice = choice
            self.exit()

    def open_export(self, name: str) -> None:
        """Ask where to export the labels of a session to, unless an export runs."""
        from vaetui.tui.widgets.label_exporter import LabelExporter

        if self._label_exporter is None or not self._label_exporter.is_busy:
            if self._label_exporter is not None:
                self._label_exporter.remove()
            self._label_exporter = LabelExporter(self._catalogue.open_labels(name))
            self.screen_stack[0].mount(self._label_exporter)
        self._label_exporter.ask()
