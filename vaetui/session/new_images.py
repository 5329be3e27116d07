"""New images as input of the networks of a session: resized and scaled as those of the session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from numpy.typing import NDArray

from vaetui.data.image_stream import MAX_BATCH_IMAGES, convert_image_array, stream_image_batches
from vaetui.data.import_options import ImportOptions

if TYPE_CHECKING:
    from vaetui.data.value_range import SampleKind, ValueRange

NetworkInputs: TypeAlias = "NDArray[Any]"
"""Pixels [N, H, W] or [N, H, W, 3], or vectors [N, D]."""


@dataclass(frozen=True, slots=True, eq=False)
class NewImages:
    """Consecutive new images."""

    names: tuple[str, ...]
    """The path of each image; pages and images of arrays are followed by # and their index, [n]."""
    inputs: NetworkInputs
    """What the networks take in of each, [n, ...]."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Names of files, pages and images that could not be used, and the reasons."""
    new_ranges: Mapping[SampleKind, ValueRange] = field(default_factory=dict)
    """Ranges by which images were scaled because the session has none for their kind."""


class NewImageReader(Protocol):
    """Reads new images in the form in which a session's networks take them in."""

    def iter_batches(self, paths: Iterable[str], batch_size: int = MAX_BATCH_IMAGES) -> Iterator[NewImages]:
        """Yield the images of files, directories, tables and arrays in their order; `paths` is consumed lazily."""
        ...

    def convert_array(self, array: NDArray[Any]) -> NetworkInputs:
        """Return the inputs of the images of an array [N, H, W] or [N, H, W, C]; raises UserError for any other."""
        ...


@dataclass(frozen=True, slots=True)
class PixelReader:
    """Resizes and scales new images as those of the session."""

    shape: tuple[int, ...]
    """Height and width in pixels; for colour images also 3."""
    value_ranges: Mapping[str, tuple[float, float]]
    """The values of black and white of the session, by kind."""
    options: ImportOptions
    """The options of the import of the session."""

    def iter_batches(self, paths: Iterable[str], batch_size: int = MAX_BATCH_IMAGES) -> Iterator[NewImages]:
        """Yield the pixels of images; see `NewImageReader`."""
        for batch in stream_image_batches(paths, self.shape, batch_size, self.value_ranges, self.options):
            yield NewImages(batch.names, batch.pixels, batch.skipped, batch.new_ranges)

    def convert_array(self, array: NDArray[Any]) -> NetworkInputs:
        """Return the pixels of the images of an array; see `NewImageReader`."""
        return convert_image_array(array, self.shape, self.value_ranges, self.options)
