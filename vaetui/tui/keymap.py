"""Keys of a screen, by names that a keymap can override; what they do it does not know."""

from __future__ import annotations

from textual.binding import Binding


def bind_key(
    group: str, name: str, keys: str, key_name: str, description: str, tooltip: str, *, show: bool = False
) -> Binding:
    """Bind keys to what the screen makes of `press`; the footer shows `words` where it is to show the key."""
    return Binding(keys, f"press('{key_name}')", description, show=show, id=f"{group}.{name}", tooltip=tooltip)


def bind_digits(group: str, tooltip: str, *, show: bool = False) -> list[Binding]:
    """Bind the ten digits to classes; the first stands for all in the footer, where it shows them."""
    return [
        Binding(
            str(digit),
            f"press('{digit}')",
            "class",
            show=show and digit == 0,
            key_display="0-9" if show and digit == 0 else None,
            id=f"{group}.class.{digit}",
            tooltip=tooltip,
        )
        for digit in range(10)
    ]
