"""The recipe of new sessions of photographs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vaetui.cli.config_options import build_config, is_recipe_named
from vaetui.cli.data_options import ImportedData
from vaetui.engine.recipes import DEFAULT_RECIPE, PHOTOS_RECIPE

RECIPE_HEADING = "recipe"
"""Heading of the line about the recipe."""


def choose_recipe_for_images(data: ImportedData, config_values: dict[str, Any]) -> ImportedData:
    """Return the data with the recipe for photographs if they are such, unless the user chose a recipe.

    `config_values` are the options of the configuration, which override the values of that recipe as well.
    """
    from vaetui.data.photo_detection import shows_photographs  # numpy is not loaded before it is needed
    from vaetui.session.dataset_location import locate_source_directory

    if is_recipe_named() or data.config.recipe != DEFAULT_RECIPE:
        return data
    if not shows_photographs(locate_source_directory(data.source)):
        return data
    config = build_config(**{**config_values, "recipe": PHOTOS_RECIPE})
    network = replace(config.network, classes=data.config.network.classes)
    reason = f"{PHOTOS_RECIPE}, for colour photographs; --recipe {DEFAULT_RECIPE} suits drawings and characters"
    lines = {**data.data_record.import_lines, RECIPE_HEADING: reason}
    return replace(
        data, config=replace(config, network=network), data_record=replace(data.data_record, import_lines=lines)
    )
