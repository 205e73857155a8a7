"""How alike two lines are to whoever has to change one into the other."""

from __future__ import annotations


def edit_similarity(one: str, other: str) -> float:
    """One less the Levenshtein distance over the longer length; 1 for equal texts, 0 for nothing in common."""
    if not one and not other:
        return 1.0
    row = list(range(len(other) + 1))
    for index, left in enumerate(one, 1):
        corner, row[0] = row[0], index
        for column, right in enumerate(other, 1):
            corner, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, corner + (left != right))
    return 1.0 - row[-1] / max(len(one), len(other))


def plain(text: str) -> str:
    """A line with single spaces: white space does not count."""
    return " ".join(text.split())
