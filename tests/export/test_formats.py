"""The export formats by name."""

from __future__ import annotations

from vaetui.cli import export_command
from vaetui.export import formats


def test_the_command_offers_exactly_the_formats_with_a_writer() -> None:
    assert (*formats.FILE_WRITERS, *formats.DIRECTORY_WRITERS) == export_command.EXPORT_FORMATS
    assert tuple(formats.DIRECTORY_WRITERS) == export_command.DIRECTORY_FORMATS
