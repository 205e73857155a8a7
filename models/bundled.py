"""The model that comes with Veriloop: a file beside this one, with its digest, its facts and its card."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path

FOLDER = "bundled"
FACTS = "model.json"
CARD = "CARD.md"
SUFFIX = ".gguf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """What is known of it; where it was trained from, how, and what it is worth stand in its card."""

    name: str
    path: Path
    card: Path
    sha256: str
    size_bytes: int
    licence: str = ""
    description: str = ""
    context_tokens: int = 0
    parameters: int = 0
    has_fim: bool = False
    has_chat: bool = False
    quant_top1_agreement: float | None = None
    """At which share of places it said what its 32-bit weights say, when it was exported."""
    tokeniser_equal: float | None = None
    """Which share of 1,000 lines it split as the training's tokenizer did, when it was exported."""


def bundled() -> Bundled | None:
    """The model; none where a package was built without it."""
    folder = Path(str(resources.files("veriloop.models"))) / FOLDER
    try:
        facts = json.loads((folder / FACTS).read_text())
    except (OSError, ValueError):
        return None
    known = {one.name for one in fields(Bundled)} - {"path", "card"}
    found = Bundled(
        path=folder / f"{facts['name']}{SUFFIX}",
        card=folder / CARD,
        **{key: value for key, value in facts.items() if key in known},
    )
    return found if found.path.is_file() else None
