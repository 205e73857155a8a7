"""A specification's text: lines without comment marks, sentences without line breaks."""

from __future__ import annotations

import re


def bare_lines(text: str) -> list[str]:
    """The lines without comment marks and tabs, each at its own column."""
    lines = (line.expandtabs(8).rstrip() for line in text.replace("\r", "").split("\n"))
    return [re.sub(r"^(\s*)//+ ?", r"\1", line) for line in lines]


def sentences(text: str) -> str:
    """The text on one line with single spaces, for what is said in words."""
    return re.sub(r"\s+", " ", " ".join(bare_lines(text)))
