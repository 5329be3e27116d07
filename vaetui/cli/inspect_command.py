"""`inspect`: report what an import would take, without a session."""

from __future__ import annotations

import json
from dataclasses import replace

import click

from vaetui.cli.data_options import add_import_options, parse_path, print_import_lines
from vaetui.data.import_options import ImportOptions
from vaetui.runtime import session_runner


@click.command()
@click.argument("path", required=False)
@add_import_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect(path: str | None, import_options: ImportOptions, as_json: bool) -> None:
    """Report what `new --data PATH` would import.

    The images are decoded as for a session, so that damaged files and copies are found; a session created within the
    next hour with the same options starts with them at once. The exit status is 2 where `new` would refuse.
    """
    from vaetui.data.importing import import_dataset
    from vaetui.data.report_text import describe_import, to_json_fields

    if path is None and import_options.label_key:  # the word after --labels may be the path
        path, import_options = import_options.label_key, replace(import_options, label_key=None)
    if path is None:
        raise click.UsageError("Missing argument 'PATH'.")
    dataset = session_runner.run_with_progress(import_dataset(parse_path(path), import_options))
    if as_json:
        click.echo(json.dumps(to_json_fields(dataset.report, dataset.skipped), indent=2))
        return
    print_import_lines(describe_import(dataset.report, dataset.skipped, str(dataset.skipped_list or "")))
