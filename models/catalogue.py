"""What is publicly known of models for RTL. An empty field is one that nobody has stated; nothing is made up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from urllib.parse import urljoin

from veriloop.models.errors import NoModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A model that somebody has published."""

    name: str
    hub_id: str
    """Owner and name on the hub where its makers put it."""
    parameters: int
    licence: str
    dialect: str
    about: str
    scores: Mapping[str, float]
    """Published, in percent, by benchmark."""
    scores_source: str
    form: str
    """In which form the weights are published."""


def catalogue() -> tuple[Known, ...]:
    """Every model that is known."""
    text = (resources.files("veriloop.models") / "catalogue.json").read_text()
    return tuple(Known(**entry) for entry in json.loads(text))


def address(name: str, source: str) -> str:
    """Where a name stands for a file: an address as it is, else below the user's own source.

    Raises:
        NoModel: it is a bare name, and the user has named no source.
    """
    if "://" in name:
        return name
    if not source:
        known = next((entry for entry in catalogue() if entry.name == name), None)
        if known is not None:
            where = f" ({known.hub_id})" if known.hub_id else ""
            raise NoModel(
                f"{name}{where} is known, but not where to fetch it from",
                hint="veriloop models pull https://SERVER/FILE.gguf, or set models.source in config.toml",
            )
        raise NoModel(
            f"there is no model {name!r} in the catalogue", hint="veriloop models, or pull https://SERVER/FILE.gguf"
        )
    return urljoin(source if source.endswith("/") else f"{source}/", name if name.endswith(".gguf") else f"{name}.gguf")
