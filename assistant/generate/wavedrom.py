"""WaveDrom's notation for waveforms, as engineers put it into Markdown: `{name: 'q', wave: 'x01.', data: [...]}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_SIGNAL = re.compile(r"\{([^{}]*\bwave\b[^{}]*)\}")
_FIELD = r"""["']?\b{name}["']?\s*:\s*(?:"([^"]*)"|'([^']*)')"""
_DATA = re.compile(r"""["']?\bdata["']?\s*:\s*(?:\[([^\]]*)\]|"([^"]*)"|'([^']*)')""")
_RISES, _FALLS = frozenset("pP"), frozenset("nN")
_BUS = frozenset("=23456789")


def read_wavedrom(text: str) -> tuple[tuple[str, ...], tuple[Mapping[str, int | None], ...]] | None:
    """Signals and their values over time, a row a half period; none where there is no such drawing, or it says more
    than can be read.

    A brick of a clock is high first, then low, or the other way round with `n`; all others change with its beginning.
    """
    waves: dict[str, list[tuple[int | None, int | None]]] = {}
    for body in _SIGNAL.findall(text):
        name, wave = _field(body, "name"), _field(body, "wave")
        if not name or not wave or name in waves or re.search(r"""["']?\b(?:period|phase)["']?\s*:""", body):
            return None
        name = re.sub(r"\[\d+:\d+\]", "", name)
        values = _values(wave, _listed(body))
        if values is None:
            return None
        waves[name] = values
    if not waves or len({len(values) for values in waves.values()}) != 1:
        return None
    length = len(next(iter(waves.values())))
    rows = tuple(
        {name: values[place][half] for name, values in waves.items()} for place in range(length) for half in (0, 1)
    )
    return tuple(waves), rows


def _field(body: str, name: str) -> str:
    match = re.search(_FIELD.format(name=name), body)
    return (match[1] or match[2] or "").strip() if match else ""


def _listed(body: str) -> Iterator[str]:
    """The values of a bus, in their order."""
    match = _DATA.search(body)
    if match is None:
        return iter(())
    if match[1] is not None:
        return iter([one.strip(" \"'\n") for one in match[1].split(",")])
    return iter((match[2] or match[3] or "").split())


def _values(wave: str, data: Iterator[str]) -> list[tuple[int | None, int | None]] | None:
    """The values in the two halves of each brick; none where one cannot be read."""
    found: list[tuple[int | None, int | None]] = []
    before = ""
    for brick in wave:
        if brick == "|":
            # Time is left out there, in which anything may have happened.
            return None
        if brick == ".":
            if not found:
                return None
            found.append(found[-1] if before in _RISES | _FALLS else (found[-1][1], found[-1][1]))
            continue
        before = brick
        if brick in _RISES:
            found.append((1, 0))
        elif brick in _FALLS:
            found.append((0, 1))
        elif brick in "01lhLH":
            value = int(brick in "1hH")
            found.append((value, value))
        elif brick in "xz":
            found.append((None, None))
        elif brick in _BUS:
            number = _number(next(data, ""))
            if number is None:
                return None
            found.append((number, number))
        else:
            return None
    return found


def _number(text: str) -> int | None:
    """A value on a bus: decimal, or with `0x`, `h` or `b` in front as people write it there."""
    match = re.fullmatch(r"(?:\d*')?(0x|h|0b|b|d)?([0-9a-f]+)", text, re.I)
    if match is None:
        return None
    base = {"0x": 16, "h": 16, "0b": 2, "b": 2}.get((match[1] or "").lower(), 10)
    try:
        return int(match[2], base)
    except ValueError:
        return None
