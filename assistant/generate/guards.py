"""Conditions and outputs as they stand at the arrows and in the columns of state diagrams and tables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from veriloop.assistant.generate.interface import Bit, Interface
from veriloop.assistant.generate.state_machine import Cube

_ALWAYS = re.compile(r"\(?\s*(?:always\b.*|1'b1|true|-+|any(?:thing)?|don'?t[ -]cares?)\s*\)?", re.I)
_OTHERWISE = re.compile(r"\(?\s*(?:else|otherwise|default|other)\s*\)?", re.I)
_EQUAL = re.compile(r"([A-Za-z_]\w*(?:\[\d+\])?)\s*={1,2}\s*(?:\d+'[bd])?([01]+)")
_NEGATED = re.compile(r"[!~]\s*\(?\s*([A-Za-z_]\w*(?:\[\d+\])?)\s*\)?|([A-Za-z_]\w*)'")
_PLAIN = re.compile(r"\(?\s*([A-Za-z_]\w*(?:\[\d+\])?)\s*\)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A condition: bits with their values, or what is left by all others."""

    cube: Cube
    otherwise: bool = False


def read_guard(text: str, interface: Interface) -> Guard | None:
    """What a label such as `x=0,y=1`, `!(done)`, `0` or `else` says; none if it cannot be read."""
    text = text.strip().strip("-").strip()
    if not text or _ALWAYS.fullmatch(text):
        return Guard(cube={})
    if _OTHERWISE.fullmatch(text):
        return Guard(cube={}, otherwise=True)
    if re.fullmatch(r"[01]+", text):
        bits = [bit for port in interface.data for bit in interface.bits(port)]
        if len(bits) != len(text):
            # A wide input beside single ones holds the present state.
            bits = [Bit(port.name) for port in interface.data if port.width_bits == 1]
        return Guard(cube=dict(zip(bits, text, strict=True))) if len(bits) == len(text) else None
    cube: dict[Bit, str] = {}
    for part in re.split(r"\s*(?:,|;|&&?|\band\b)\s*", text):
        said = _term(part.strip(), interface)
        if said is None or any(cube.get(bit, value) != value for bit, value in said.items()):
            return None
        cube.update(said)
    inputs = {port.name for port in interface.inputs}
    return Guard(cube=cube) if all(bit.port in inputs for bit in cube) else None


def read_outputs(text: str, interface: Interface) -> Cube | None:
    """What `z=1`, `g0=1, g1=0`, `1` or nothing says of the outputs; none if it cannot be read."""
    text = text.strip()
    if not text:
        return {}
    outputs = interface.outputs
    if re.fullmatch(r"[01]+", text):
        bits = [bit for port in outputs for bit in interface.bits(port)]
        return dict(zip(bits, text, strict=True)) if len(bits) == len(text) else None
    cube: dict[Bit, str] = {}
    for part in re.split(r"\s*[,;]\s*", text):
        said = _term(part, interface)
        if said is None:
            return None
        cube.update(said)
    names = {port.name for port in outputs}
    return cube if all(bit.port in names for bit in cube) else None


def _term(text: str, interface: Interface) -> Cube | None:
    if match := _EQUAL.fullmatch(text):
        bits = _bits(match[1], interface)
        return dict(zip(bits, match[2], strict=True)) if bits and len(bits) == len(match[2]) else None
    if match := _NEGATED.fullmatch(text):
        bits = _bits(match[1] or match[2], interface)
        return {bits[0]: "0"} if bits and len(bits) == 1 else None
    if match := _PLAIN.fullmatch(text):
        bits = _bits(match[1], interface)
        return {bits[0]: "1"} if bits and len(bits) == 1 else None
    return None


def _bits(name: str, interface: Interface) -> tuple[Bit, ...] | None:
    if bit := interface.bit(name):
        return (bit,)
    port = interface.port(name)
    return interface.bits(port) if port else None
