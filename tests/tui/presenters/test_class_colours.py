"""Test the colours of the classes."""

from __future__ import annotations

import itertools

from rich.color import Color

from vaetui.tui.presenters.class_colours import CLASS_COLOURS, get_class_style

DARK_BACKGROUND, LIGHT_BACKGROUND = (0x12, 0x12, 0x12), (0xE0, 0xE0, 0xE0)
CUBE_LEVELS = {0, 95, 135, 175, 215, 255}


def compute_luminance(rgb: tuple[int, int, int]) -> float:
    """Return the relative luminance of WCAG 2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def compute_contrast(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    low, high = sorted((compute_luminance(first), compute_luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_each_colour_is_readable_on_dark_and_light_and_exists_among_256_colours() -> None:
    for colour in CLASS_COLOURS:
        triplet = Color.parse(colour).get_truecolor()
        assert compute_contrast(triplet, DARK_BACKGROUND) >= 3
        assert compute_contrast(triplet, LIGHT_BACKGROUND) >= 3
        assert set(triplet) <= CUBE_LEVELS


def test_ten_classes_have_ten_colours_and_any_class_has_one() -> None:
    assert len({get_class_style(class_id) for class_id in range(10)}) == 10
    assert get_class_style(249) in CLASS_COLOURS


def test_no_two_colours_are_alike() -> None:
    for first, second in itertools.combinations(CLASS_COLOURS, 2):
        difference = sum(
            abs(a - b) for a, b in zip(Color.parse(first).triplet, Color.parse(second).triplet, strict=True)
        )
        assert difference >= 80, (first, second)
