"""Decode and survey single image files without Pillow's warnings, as the program does for batches of files."""

from __future__ import annotations

import warnings

from vaetui.data import image_files
from vaetui.data.image_files import NO_RANGES, DecodedFile, ImageSurvey, StrPath
from vaetui.data.value_range import ValueRanges


def decode_image(path: StrPath, shape: tuple[int, ...], value_ranges: ValueRanges = NO_RANGES) -> DecodedFile:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return image_files.decode_image(path, shape, value_ranges)


def survey_image(path: StrPath) -> ImageSurvey:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return image_files.survey_image(path)
