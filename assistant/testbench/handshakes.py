"""Handshakes that a design's pins show by their names: what is given stays given until it is taken.

AXI, AXI-Stream and a plain `valid`/`ready` or `req`/`ack` pair, Wishbone (`stb`, `ack`), APB (`psel`, `penable`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from veriloop.assistant.design.model import Port
from veriloop.assistant.verify.stimulus.pins import Hold, Pins


@dataclass(frozen=True, slots=True, kw_only=True)
class _Protocol:
    """How the pins of a protocol are named: what gives, and what takes in its place."""

    kind: str
    gives: re.Pattern[str]
    """With the groups `head` and `tail`, which the answer's name shares."""
    takes: tuple[str, ...]


def _gives(words: str) -> re.Pattern[str]:
    return re.compile(rf"^(?P<head>.*?)(?:{words})(?P<tail>(?:_.*|\d+|))$", re.I)


_PROTOCOLS = (
    _Protocol(kind="AXI-Stream", gives=_gives("tvalid"), takes=("tready",)),
    _Protocol(kind="valid/ready", gives=_gives("valid|vld"), takes=("ready", "rdy")),
    _Protocol(kind="Wishbone", gives=_gives("stb"), takes=("ack",)),
    _Protocol(kind="req/ack", gives=_gives("request|req"), takes=("ack", "gnt", "grant")),
)
_PAYLOAD = re.compile(
    r"t?(?:data|last|keep|strb|user|dest|id)|addr|adr|dat|we|sel|cti|bte|wr|write|be|len|size|burst|prot|cmd|op"
)
_APB = re.compile(r"^(?P<head>.*?)psel(?P<tail>(?:_[io]|x)?)$", re.I)
_APB_PAYLOAD = ("paddr", "pwrite", "pwdata", "pstrb", "pprot")
_SIDES = ("", "_i", "_in", "_o", "_out")
_TURNED = {"i_": "o_", "in_": "out_", "s_": "s_", "m_": "m_"}


def with_handshakes(pins: Pins) -> Pins:
    """The pins with the handshakes that their names show; none where several clocks may drive them."""
    if len(pins.clocks) != 1:
        return pins
    taken: set[str] = set()
    holds = []
    for port in pins.data:
        if port.width_bits != 1 or port.name in taken:
            continue
        hold = _apb(pins, port) or _hold(pins, port)
        if hold is not None and not taken & {hold.valid, *hold.payload, hold.enable, hold.along}:
            taken |= {name for name in (hold.valid, *hold.payload, hold.enable, hold.along) if name}
            holds.append(hold)
    return replace(pins, holds=tuple(holds))


def _apb(pins: Pins, port: Port) -> Hold | None:
    match = _APB.match(port.name)
    if match is None:
        return None
    inputs = {one.name.lower(): one.name for one in pins.data}
    outputs = {one.name.lower(): one.name for one in pins.outputs if one.width_bits == 1}
    enable = _named(match["head"], ("penable",), match["tail"], inputs)
    if not enable:
        return None
    payload = (_named(match["head"], (word,), match["tail"], inputs) for word in _APB_PAYLOAD)
    return Hold(
        valid=port.name,
        ready=_named(match["head"], ("pready",), match["tail"], outputs),
        payload=tuple(name for name in payload if name),
        enable=enable,
        kind="APB",
    )


def _hold(pins: Pins, port: Port) -> Hold | None:
    outputs = {one.name.lower(): one.name for one in pins.outputs if one.width_bits == 1}
    for protocol in _PROTOCOLS:
        match = protocol.gives.match(port.name)
        ready = _named(match["head"], protocol.takes, match["tail"], outputs) if match is not None else ""
        if match is None or not ready:
            continue
        inputs = {one.name.lower(): one.name for one in pins.data}
        along = _named(match["head"], ("cyc",), match["tail"], inputs) if protocol.kind == "Wishbone" else ""
        return Hold(
            valid=port.name,
            ready=ready,
            payload=tuple(name for name in _payload(pins, port.name, match["head"].lower()) if name != along),
            along=along,
            kind=protocol.kind,
        )
    return None


def _named(head: str, words: tuple[str, ...], tail: str, names: dict[str, str]) -> str:
    """The pin of one of these names; one that says on which side it is may say so of the other side."""
    head, tail = head.lower(), tail.lower()
    tails = dict.fromkeys((tail, *_SIDES)) if tail in _SIDES else (tail,)
    for word in words:
        for start in dict.fromkeys((head, _TURNED.get(head, head))):
            for end in tails:
                if f"{start}{word}{end}" in names:
                    return names[f"{start}{word}{end}"]
    return ""


def _payload(pins: Pins, valid: str, head: str) -> Iterator[str]:
    for port in pins.data:
        name = port.name.lower()
        rest = name[len(head) :] if name.startswith(head) else ""
        if port.name != valid and rest and _PAYLOAD.match(rest.lstrip("_")):
            yield port.name
