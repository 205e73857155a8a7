"""Two-level logic, for families that write functions as equations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

Cube: TypeAlias = tuple[int, int]
"""A product: which inputs it looks at, as bits, and what they have to be."""


def cover(ones: Collection[int], bits: int, free: Collection[int] = ()) -> list[Cube]:
    """Few prime products that are 1 for all of `ones` and for nothing else but some of `free`."""
    allowed = {*ones, *free}
    full = (1 << bits) - 1
    level = {(full, value) for value in allowed}
    primes: set[Cube] = set()
    while level:
        merged: set[Cube] = set()
        used: set[Cube] = set()
        for care, value in level:
            for k in range(bits):
                bit = 1 << k
                if care & bit and not value & bit and (care, value | bit) in level:
                    merged.add((care & ~bit, value))
                    used |= {(care, value), (care, value | bit)}
        primes |= level - used
        level = merged
    left = set(ones)
    chosen: list[Cube] = []
    while left:
        best = min(
            primes, key=lambda cube: (-sum(value & cube[0] == cube[1] for value in left), cube[0].bit_count(), cube)
        )
        chosen.append(best)
        left = {value for value in left if value & best[0] != best[1]}
    return sorted(chosen, key=lambda cube: (-cube[0], cube[1]))


def product(cube: Cube, names: Sequence[str], *, invert: str = "~", both: str = " & ") -> str:
    """A product as text; `names` from the highest bit down."""
    care, value = cube
    top = len(names) - 1
    factors = [
        f"{'' if value >> (top - k) & 1 else invert}{name}" for k, name in enumerate(names) if care >> (top - k) & 1
    ]
    return both.join(factors) or "1'b1"


def sum_of_products(cubes: Sequence[Cube], names: Sequence[str]) -> str:
    """A sum of products as text, each in parentheses where there are several factors."""
    terms = [product(cube, names) for cube in cubes]
    if len(terms) > 1:
        terms = [f"({term})" if " " in term else term for term in terms]
    return " | ".join(terms) or "1'b0"


def product_of_sums(cubes: Sequence[Cube], names: Sequence[str]) -> str:
    """The complement of a sum of products, as a product of sums."""
    turned = [(care, ~value & care) for care, value in cubes]
    terms = [product(cube, names, both=" | ") for cube in turned]
    if len(terms) > 1:
        terms = [f"({term})" if " " in term else term for term in terms]
    return " & ".join(terms) or "1'b1"


def depends_on_all(ones: Collection[int], bits: int) -> bool:
    """Whether a function changes with each of its inputs for some values of the others."""
    table = set(ones)
    return all(any((value in table) != (value ^ 1 << k in table) for value in range(1 << bits)) for k in range(bits))
