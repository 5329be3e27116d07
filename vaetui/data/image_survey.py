"""Survey image files before they are decoded: the size, the colour and the value ranges of the whole set."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from vaetui.data.image_files import ImageSurvey
from vaetui.data.import_options import ImportOptions
from vaetui.data.parallel_decoding import DecodingPool, survey_files
from vaetui.data.value_range import (
    FULL_8_BIT_RANGE,
    RangeEstimator,
    SampleKind,
    ValueRange,
    ValueRanges,
    use_range_for_all_kinds,
)
from vaetui.engine.events import Progress
from vaetui.engine.idx import COLOUR_CHANNELS, MAX_SIDE_PX, MIN_SIDE_PX

SURVEY_FILES = 256
"""Number of files that decide the size and the colour, and the value range of usual 8-bit images."""
MAX_RANGE_FILES = 20_000
"""Most files that decide the value range of other images."""
MAX_SMALL_SIDE_PX, SMALL_SIDE_PX = 48, 28
"""If the median of the longer sides is at most MAX_SMALL_SIDE_PX, the longer side becomes SMALL_SIDE_PX, else the
largest supported side."""
MAX_SQUARE_ASPECT = 1.25
"""Ratio of the longer to the shorter side up to which images become square, and up to which a changed shape does not
count as squeezed."""
MIN_COLOUR_SHARE = 0.1
"""Share of coloured images above which a dataset keeps colours."""


@dataclass(frozen=True, slots=True)
class SurveyResult:
    """How the files of a set are decoded."""

    shape: tuple[int, ...]
    """The shape of each image: (H, W), or (H, W, 3) in colour."""
    value_ranges: ValueRanges
    """The values of black and white by kind, the most frequent kind first; all kinds if the user chose the range."""


class Measurements:
    """What surveyed files have in common."""

    def __init__(self) -> None:
        """Start without files."""
        self.sizes: list[tuple[int, int]] = []
        """Height and width of each file."""
        self.coloured_count = 0
        """Number of files that show colours."""
        self._kinds: Counter[SampleKind] = Counter()
        self._estimators: dict[SampleKind, RangeEstimator] = {}

    def add(self, survey: ImageSurvey) -> None:
        """Add a file."""
        self.sizes.append(survey.size)
        self.coloured_count += survey.is_coloured
        self._kinds[survey.kind] += 1
        self._estimators.setdefault(survey.kind, RangeEstimator(survey.kind)).add(survey.values)

    def estimate_ranges(self) -> dict[SampleKind, ValueRange]:
        """Return the value ranges by kind, the most frequent kind first."""
        return {kind: self._estimators[kind].estimate() for kind, _ in self._kinds.most_common()}


def survey_image_set(
    paths: Sequence[str], options: ImportOptions, pool: DecodingPool | None
) -> Generator[Progress, None, SurveyResult]:
    """Choose shape and value ranges of image files, as far as the options leave them open; yields Progress."""
    measurements = yield from _measure_files("surveying images", paths, SURVEY_FILES, pool)
    in_colour = options.colour
    if in_colour is None:
        in_colour = measurements.coloured_count > MIN_COLOUR_SHARE * len(measurements.sizes)
    size = options.size or choose_size(measurements.sizes)
    shape = (*size, COLOUR_CHANNELS) if in_colour else size
    ranges = measurements.estimate_ranges()
    if options.value_range is not None:
        return SurveyResult(shape, use_range_for_all_kinds(options.value_range, ranges))
    if ranges and ranges != {"8-bit": FULL_8_BIT_RANGE}:
        # Other files may contain values that the sample lacks; 8-bit values cannot exceed the full range.
        ranges = yield from find_value_ranges(paths, pool)
    return SurveyResult(shape, ranges)


def find_value_ranges(
    paths: Sequence[str], pool: DecodingPool | None
) -> Generator[Progress, None, dict[SampleKind, ValueRange]]:
    """Return the value ranges of files by kind, the most frequent kind first; yields Progress."""
    return (yield from _measure_files("measuring values", paths, MAX_RANGE_FILES, pool)).estimate_ranges()


def choose_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the size of most images if it is supported, else one of their median shape, as (height, width)."""
    if not sizes:
        return SMALL_SIDE_PX, SMALL_SIDE_PX
    (size, count), *_ = Counter(sizes).most_common()
    if count > len(sizes) / 2 and is_supported_size(size):
        return size
    long_side = MAX_SIDE_PX if statistics.median(map(max, sizes)) > MAX_SMALL_SIDE_PX else SMALL_SIDE_PX
    aspect = math.exp(statistics.median(math.log(height / width) for height, width in sizes))
    if 1 / MAX_SQUARE_ASPECT <= aspect <= MAX_SQUARE_ASPECT:
        return long_side, long_side
    short_side = max(round(long_side * min(aspect, 1 / aspect)), MIN_SIDE_PX)
    return (long_side, short_side) if aspect > 1 else (short_side, long_side)


def describe_fit(sizes: Counter[tuple[int, int]], size: tuple[int, int]) -> str:
    """Return how images of these sizes (counted) were brought to one size; empty if all had it."""
    if set(sizes) <= {size}:
        return ""
    heights, widths = zip(*sizes, strict=True)
    text = f"resized from {heights[0]}x{widths[0]}"
    if len(sizes) > 1:
        text = f"resized from {min(heights)} to {max(heights)} by {min(widths)} to {max(widths)} pixels"
    distortions = {source: (source[0] * size[1]) / (source[1] * size[0]) for source in sizes}
    squeezed = {
        source: max(distortion, 1 / distortion)
        for source, distortion in distortions.items()
        if max(distortion, 1 / distortion) > MAX_SQUARE_ASPECT
    }
    if squeezed:
        count, total = sum(sizes[source] for source in squeezed), sum(sizes.values())
        text += f"; {count:,} of {total:,} images are squeezed, by up to {max(squeezed.values()):.1f} to 1"
    return text


def is_supported_size(size: tuple[int, ...]) -> bool:
    """Return whether the networks support images of that height and width."""
    return all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in size)


def _measure_files(
    activity: str, paths: Sequence[str], max_files: int, pool: DecodingPool | None
) -> Generator[Progress, None, Measurements]:
    """Survey at most `max_files` of the files, evenly spaced."""
    sample = paths[:: -(-len(paths) // max_files) or 1]
    measurements, done = Measurements(), 0
    for batch in survey_files(sample, pool):
        for survey in batch:
            if survey is not None:
                measurements.add(survey)
        done += len(batch)
        yield Progress(activity, done, len(sample))
    return measurements
