"""Which keys there are now, in words: for the last row, for the help, and for the palette."""

from __future__ import annotations

from collections.abc import Iterator

from textual.binding import Binding
from textual.screen import Screen

_NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "home": "Home",
    "end": "End",
    "question_mark": "?",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "less_than_sign": "<",
    "greater_than_sign": ">",
}


def shown_keys(screen: Screen[object]) -> Iterator[tuple[str, str]]:
    """The keys of the last row, the screen's own first."""
    seen: set[str] = set()
    for binding in _bindings(screen):
        if binding.show and binding.action not in seen:
            seen.add(binding.action)
            yield binding.key_display or name(binding.key), binding.description


def all_keys(screen: Screen[object]) -> list[tuple[str, str]]:
    """Every key that has a meaning here, those of one action together."""
    together: dict[tuple[str, str], list[str]] = {}
    for binding in _bindings(screen):
        if binding.description:
            names = together.setdefault((binding.action, binding.description), [])
            if (shown := name(binding.key)) not in names:
                names.append(shown)
    return [(", ".join(names), what) for (_, what), names in together.items()]


def actions(screen: Screen[object]) -> list[tuple[str, str, str]]:
    """Each action once: its description, its keys and its name, for the palette."""
    keys = {what: shown for shown, what in all_keys(screen)}
    found: dict[str, tuple[str, str, str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.description and active.enabled:
            found.setdefault(binding.description, (binding.description, keys[binding.description], binding.action))
    return list(found.values())


def name(key: str) -> str:
    """A key as it is written on the keyboard."""
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    if key.startswith("shift+"):
        return f"Shift+{name(key.removeprefix('shift+'))}"
    if key.startswith("alt+"):
        return f"Alt+{name(key.removeprefix('alt+'))}"
    if key[0] == "f" and key[1:].isdigit():
        return key.upper()
    return _NAMES.get(key, key)


def _bindings(screen: Screen[object]) -> Iterator[Binding]:
    """The bindings that hold: those of the part that has the focus first, then the screen's, then the application's."""
    app = screen.app
    order = {key: place for place, key in enumerate(app._bindings.key_to_bindings)}
    found = [active for active in screen.active_bindings.values() if active.enabled]
    # Where a key of the application's is one of a part's as well, it stands among that part's.
    found.sort(key=lambda one: (one.node is app, one.node is screen, order.get(one.binding.key, 0) * (one.node is app)))
    yield from (active.binding for active in found)
