"""Signed numbers in the bits of ports, for reference models."""

from __future__ import annotations


def to_signed(value: int, width_bits: int) -> int:
    """The number that bits stand for in two's complement."""
    value &= (1 << width_bits) - 1
    return value - (1 << width_bits) if value >> (width_bits - 1) else value


def to_bits(value: int, width_bits: int) -> int:
    """The bits of a number in two's complement, without those that do not fit."""
    return value & ((1 << width_bits) - 1)


def saturated(value: int, width_bits: int, *, signed: bool) -> int:
    """The number nearest to a value that fits."""
    low, high = (-(1 << (width_bits - 1)), (1 << (width_bits - 1)) - 1) if signed else (0, (1 << width_bits) - 1)
    return max(low, min(high, value))
