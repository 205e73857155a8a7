"""What a directory of a training run holds beside its checkpoint: the facts that are needed to go on with it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from veriloop.assistant.errors import UsageError

CHECKPOINT = "checkpoint.pt"
TOKENIZER = "tokenizer.json"
ADAPTER = "adapter_config.json"
_FACTS = "run.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """One run of training.

    Attributes:
        name: what the model is called.
        shape: the model's size, by the names of `sft.Shape`.
        rows: how many rows it learns from.
        families: how many families they come from.
        held_out: how many families are kept apart.
        commands: with what it was trained, the first command first.
    """

    name: str
    shape: dict[str, int]
    rows: int = 0
    families: int = 0
    held_out: int = 0
    commands: tuple[str, ...] = ()
    scores: dict[str, Any] = field(default_factory=dict)


def write_facts(directory: Path, facts: RunFacts) -> None:
    """Keeps the facts of a run."""
    part = directory / f".{_FACTS}"
    part.write_text(json.dumps(asdict(facts), indent=1) + "\n")
    part.replace(directory / _FACTS)


def read_facts(directory: Path) -> RunFacts:
    """The facts of a run.

    Raises:
        UsageError: the directory holds no run.
    """
    try:
        data = json.loads((directory / _FACTS).read_text())
        return RunFacts(**{**data, "commands": tuple(data.get("commands", ()))})
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{directory} holds no run of training", hint="veriloop train sft --out DIR") from error
