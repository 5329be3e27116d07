"""`inspect`: report what an import would take, without a session."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import click

from vaetui.cli.data_options import (
    FEATURES_HEADING,
    FeatureOptions,
    add_feature_options,
    add_import_options,
    parse_path,
    print_import_lines,
)
from vaetui.data.import_options import ImportOptions


@click.command()
@click.argument("path", required=False)
@add_feature_options
@add_import_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect(path: str | None, feature_options: FeatureOptions, import_options: ImportOptions, as_json: bool) -> None:
    """Report what `new --data PATH` would import.

    The images are decoded as for a session, so that damaged files and copies are found; a session created within the
    next hour with the same options starts with them at once. Vectors of --features are checked and matched with the
    images as well. The exit status is 2 where `new` would refuse.
    """
    from vaetui.data.report_text import describe_import, to_json_fields

    if path is None and import_options.label_key:  # the word after --labels may be the path
        path, import_options = import_options.label_key, replace(import_options, label_key=None)
    if path is None:
        raise click.UsageError("Missing argument 'PATH'.")
    dataset, resolved = feature_options.import_images(parse_path(path), import_options, "auto")
    if as_json:
        fields = to_json_fields(dataset.report, dataset.skipped)
        if resolved is not None:
            fields["features"] = {**asdict(resolved.record), "description": resolved.description}
        click.echo(json.dumps(fields, indent=2))
        return
    lines = describe_import(dataset.report, dataset.skipped, str(dataset.skipped_list or ""))
    print_import_lines(lines if resolved is None else {**lines, FEATURES_HEADING: resolved.description})
