"""YAML, read as data only; what is no YAML is no data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from veriloop.assistant.project.tree import Tree

_LIMIT_CHARS = 400_000
# libyaml's, where PyYAML was built with it: ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(tree: Tree, path: Path) -> Any:
    """A file's content; none where it is no YAML, or too long to be a description."""
    text = tree.text(path)
    if len(text) > _LIMIT_CHARS:
        return None
    try:
        return yaml.load(text.replace("\t", "    "), Loader=_LOADER)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def table(value: Any) -> dict[str, Any]:
    """A mapping with names; empty where it is none."""
    return {str(key): one for key, one in value.items()} if isinstance(value, dict) else {}


def texts(value: Any) -> list[str]:
    """A text or a list of texts; everything else is left out."""
    if isinstance(value, str | int | float):
        return [str(value)]
    return [str(one) for one in value if isinstance(one, str | int | float)] if isinstance(value, list) else []
