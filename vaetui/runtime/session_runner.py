"""Run a command on a session: open it, start a front end, log crashes and print how to come back."""

from __future__ import annotations

import io
import os
import select
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from vaetui.errors import UserError, make_printable
from vaetui.runtime.output_errors import translate_output_errors
from vaetui.signals import find_exit_status

if TYPE_CHECKING:
    from vaetui.session.session import Session
    from vaetui.tui.app import VaetuiApp
    from vaetui.tui.presenters.picker_presenter import PickerChoice
    from vaetui.tui.settings import AppSettings
    from vaetui.tui.terminal.capabilities import TerminalCapabilities

T = TypeVar("T")


def reserve_std_fds() -> None:
    """Open /dev/null on each standard file descriptor that is closed.

    Otherwise the database would get one of them, and a library that prints to standard error would write into it.
    """
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(fd)


@contextmanager
def open_session(session_factory: Callable[[], Session]) -> Iterator[Session]:
    """Open a session, log a crash to its log file, and close it."""
    session = session_factory()
    try:
        with log_crash(session.directory, "All answers are saved. "):
            yield session
    finally:
        session.close()


@contextmanager
def log_crash(directory: Path, saved_note: str = "") -> Iterator[None]:
    """Write the traceback of an unexpected exception to the log in a directory and exit with status 1.

    Raises UserError for a full disk and for a closed pipe under the output.
    """
    try:
        with translate_output_errors():
            yield
    except (UserError, click.exceptions.Exit, click.ClickException, click.Abort):
        raise
    except Exception as error:
        from vaetui.storage import file_names, log

        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.start_file_log(directory).exception("unexpected error")
        name, log_file = type(error).__name__, file_names.log_path(directory)
        click.echo(f"vaetui: Unexpected error: {name}. {saved_note}Traceback: {log_file}", err=True)
        sys.exit(1)


class SessionEndedError(UserError):
    """A problem that the user can fix ended a session that was open."""


def run_tui(
    session_factory: Callable[[], Session], settings: AppSettings, notice: str = "", audit_plan: str | None = None
) -> None:
    """Run the Textual app on a session; a notice is shown at the start.

    With an `audit_plan`, which may be "", the app shows only an audit. Raises SessionEndedError for a problem after the
    session was opened.
    """
    from vaetui.tui.terminal import capabilities

    capabilities.require_terminal(can_detach=audit_plan is None)
    with open_session(session_factory) as session:
        app = run_app(session, settings, notice, audit_plan)
        result_text = "" if audit_plan is None else _describe_audit(session)
        resume_hint = _build_resume_hint(session)
    _exit_with_hint(session, app.signal_number, resume_hint, result_text)


def run_app(session: Session, settings: AppSettings, notice: str = "", audit_plan: str | None = None) -> VaetuiApp:
    """Run the Textual app on an open session and return it; see `run_tui`."""
    from vaetui.runtime import config_file
    from vaetui.session.session_proxy import SessionProxy

    terminal = _detect_terminal(settings)
    from vaetui.tui.app import VaetuiApp

    app = VaetuiApp(
        session,
        terminal.picture_mode,
        terminal.cell_pixels,
        _choose_theme(settings, terminal),
        settings,
        config_file.save_one_key_mode,
        offered_modes=terminal.offered_modes,
        colour_count=terminal.colour_count,
        start_notice=notice or terminal.notice,
        audit_plan=audit_plan,
        get_access=lambda: session.access if isinstance(session, SessionProxy) else "full",
    )
    app.run()
    if isinstance(app.failure, UserError):
        raise SessionEndedError(str(app.failure)) from app.failure
    if app.failure is not None:
        raise app.failure
    return app


def run_picker(
    settings: AppSettings, failed_choice: PickerChoice | None = None, problem: str = ""
) -> PickerChoice | None:
    """Run the session picker and return the choice of the user; None if the user left.

    `failed_choice` is an earlier choice that could not be followed because of `problem`.
    """
    from vaetui.session.session_catalogue import SessionCatalogue
    from vaetui.tui.terminal import capabilities

    capabilities.require_terminal()
    terminal = _detect_terminal(settings)
    from vaetui.tui.picker_app import PickerApp

    app = PickerApp(SessionCatalogue(), _choose_theme(settings, terminal), settings, failed_choice, problem)
    app.run()
    if app.failure is not None:
        raise app.failure
    if app.signal_number:
        exit_immediately(find_exit_status(app.signal_number))
    return app.choice


def _detect_terminal(settings: AppSettings) -> TerminalCapabilities:
    """Query the terminal, and set the variables that Textual reads at import."""
    from vaetui.tui.terminal import capabilities

    terminal = capabilities.detect_capabilities(
        None if settings.pictures == "auto" else settings.pictures,
        # The 16 colours of the terminal are used differently on a dark and on a light background.
        settings.theme if settings.theme in ("dark", "light") else None,
    )
    capabilities.configure_textual(terminal, os.environ)
    return terminal


def _choose_theme(settings: AppSettings, terminal: TerminalCapabilities) -> str:
    return f"terminal-{terminal.theme}" if settings.theme == "terminal" else terminal.theme


def run_plain(
    session_factory: Callable[[], Session], shows_pictures: bool = True, audit_plan: str | None = None
) -> None:
    """Run the line-by-line dialogue on a session, on the standard streams, with pictures or without.

    With an `audit_plan`, which may be "", it is only an audit.
    """
    from vaetui.tui.plain.dialogue import PlainDialogue

    replace_unencodable_text()
    with open_session(session_factory) as session:
        input_stream = sys.stdin or io.StringIO()
        dialogue = PlainDialogue(session, input_stream, lambda line: print(line, flush=True), shows_pictures)
        signal_number = dialogue.run() if audit_plan is None else dialogue.run_audit(audit_plan)
        result_text = "" if audit_plan is None else _describe_audit(session)
        resume_hint = _build_resume_hint(session)
    _exit_with_hint(session, signal_number, resume_hint, result_text)


def replace_unencodable_text() -> None:
    """Let undecodable input and an ASCII locale cause question marks in place of an exception."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def train_in_background(session_factory: Callable[[], Session]) -> None:
    """Train a session in the background until answers are needed."""
    from vaetui.runtime import daemonize

    leave_terminal = daemonize.fork_to_background()
    # Imported after the fork, which copies a small process faster.
    from vaetui.runtime.background_training import BackgroundTraining

    with open_session(session_factory) as session:
        signal_number = BackgroundTraining(session, leave_terminal).run()
        resume_hint = _build_resume_hint(session)
    _exit_with_hint(session, signal_number, resume_hint)


def _describe_audit(session: Session) -> str:
    """Return how the open audit goes on, or the result of the finished one; "" without an audit."""
    from vaetui.tui.presenters.audit_text import format_audit_result

    view = session.audits.view
    if view is None:
        return ""
    if view.result is not None:
        return f"{format_audit_result(view.result)}."
    return f"The audit is not finished. Go on with: vaetui audit {session.name}"


def _build_resume_hint(session: Session) -> str:
    """Return the command that continues as before once a session is closed here, and which processes train it then."""
    from vaetui.session.session_proxy import SessionProxy

    run_text, options = "", ""
    if isinstance(session, SessionProxy):
        run_text, options = session.describe_run(), session.resume_options
    hint = f"{run_text} Attach again" if run_text else "Everything is saved. Resume"
    return f"{hint} with: vaetui resume {session.name} {options}".rstrip()


def _exit_with_hint(session: Session, signal_number: int, resume_hint: str, result_text: str = "") -> None:
    """Print how to resume the session, and exit with the status of the signal that ended the run, if any.

    `result_text` is printed first.
    """
    try:
        # A write to a stalled terminal would block the exit.
        if sys.stdout is not None and select.select([], [sys.stdout], [], 0)[1]:
            if result_text:
                click.echo(result_text)
            click.echo(resume_hint)
            if any(epoch.answer_count for epoch in session.training_curves().finished_epochs):
                click.echo(f"Export the labels with: vaetui export {session.name} -o {session.name}.csv")
    except OSError:
        # The terminal or the reader of the pipe is gone. Without the redirection, Python would report it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        signal_number = signal_number or signal.SIGPIPE
    exit_immediately(find_exit_status(signal_number))


def exit_immediately(status: int) -> None:
    """Exit without interpreter shutdown, which takes about a second once PyTorch is loaded."""
    os._exit(status)


def drain_events(events: Generator[Any, None, T], show: Callable[[Any], None] = lambda event: None) -> T:
    """Consume a generator of events, call `show` with each, and return the return value of the generator."""
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            return cast(T, end.value)
        show(event)


def run_with_progress(events: Generator[Any, None, T]) -> T:
    """Consume a generator of events, and return its value.

    Progress is shown on standard error if that is a terminal; notices are printed there.
    """
    from rich.console import Console
    from rich.progress import Progress

    from vaetui.engine.events import Notice

    console = Console(stderr=True)
    with closing(events), Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("loading", total=None)
        step = ""

        def show(event: Any) -> None:
            nonlocal step
            if hasattr(event, "total"):
                if step != (step := event.activity.partition(",")[0]):  # the speed of another step says nothing
                    progress.reset(task)
                progress.update(task, description=event.activity, completed=event.completed, total=event.total)
            elif isinstance(event, Notice):
                # Not click.echo, which would write into the line of the progress.
                console.print(make_printable(event.message), markup=False, highlight=False, emoji=False, soft_wrap=True)

        return drain_events(events, show)
