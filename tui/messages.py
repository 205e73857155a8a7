"""What the parts of the terminal tell each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textual.message import Message

from veriloop.tui.jobs import Job


@dataclass
class JobTold(Message):
    """A job has said something; it comes from the job's thread."""

    job: Job
    kind: str
    data: Mapping[str, Any]


@dataclass
class HunkEdited(Message):
    """The user has given a hunk another text."""

    hunk: int
    text: str
