"""Prompt lookup: drafting an answer from the text that is there already.

An edit repeats most of what it edits. Where the last tokens stood before, what followed them then is drafted, and one
decoding of the whole draft checks it. Source: Saxena, Prompt Lookup Decoding (2023).
"""

from __future__ import annotations

from collections.abc import Sequence

_LONGEST = 4
_SHORTEST = 2


def draft(tokens: Sequence[int], most: int) -> list[int]:
    """What followed the last place where the present end stood before; at most `most` tokens, perhaps none."""
    for size in range(_LONGEST, _SHORTEST - 1, -1):
        if len(tokens) <= size:
            continue
        end = tuple(tokens[-size:])
        for start in range(len(tokens) - size - 1, -1, -1):
            if tuple(tokens[start : start + size]) == end:
                return list(tokens[start + size : start + size + most])
    return []
