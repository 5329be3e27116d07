"""Keys of a screen, by names that a keymap can override; what they do it does not know."""

from __future__ import annotations

from textual.binding import Binding


def key(screen: str, name: str, keys: str, press: str, words: str, help: str, *, show: bool = False) -> Binding:
    """Bind keys to what the screen makes of `press`; the footer shows `words` where it is to show the key."""
    return Binding(keys, f"press('{press}')", words, show=show, id=f"{screen}.{name}", tooltip=help)


def digits(screen: str, help: str, *, show: bool = False) -> list[Binding]:
    """Bind the ten digits to classes; the first stands for all in the footer, where it shows them."""
    return [
        Binding(
            str(digit),
            f"press('{digit}')",
            "class",
            show=show and digit == 0,
            key_display="0-9" if show and digit == 0 else None,
            id=f"{screen}.class.{digit}",
            tooltip=help,
        )
        for digit in range(10)
    ]
