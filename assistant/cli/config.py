"""`veriloop config`: the settings in force and where each comes from."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from veriloop.assistant.cli.session import Session
from veriloop.assistant.config import Config, EvidenceRule, load_config
from veriloop.assistant.places import find_root

NAME = "config"
HELP = "show the settings in force and where each comes from"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares its options: it has none."""


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Prints every setting with its value and its source."""
    config = load_config(find_root(session.cwd))
    rows = list(_rows(config))
    width = max(len(f"{key} = {_text(value)}") for key, value, _ in rows)
    lines = [f"{f'{key} = {_text(value)}':<{min(width, 60)}}  # {source}" for key, value, source in rows]
    data = {
        "root": str(config.root),
        "settings": [{"key": key, "value": _plain(value), "source": source} for key, value, source in rows],
    }
    session.result("\n".join(lines), data)
    return 0


def _rows(config: Config) -> Iterator[tuple[str, Any, str]]:
    """Each setting: its dotted key, its value, its source."""
    tables: list[tuple[str, object]] = [
        ("design", config.repository.design),
        ("project", config.repository.project),
        *((f"testbench.{i}", settings) for i, settings in enumerate(config.repository.testbench)),
        ("tools", config.user.tools),
        ("check", config.user.check),
        ("search", config.user.search),
        ("models", config.user.models),
        ("cache", config.user.cache),
        ("farm", config.user.farm),
        ("isolation", config.user.isolation),
        ("licences", config.user.licences),
    ]
    for prefix, table in tables:
        for each in dataclasses.fields(table):  # type: ignore[arg-type]  # all of them are dataclasses
            key = f"{prefix}.{each.name}"
            source = config.sources.get(key)
            yield key, getattr(table, each.name), str(source) if source else "default"


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, EvidenceRule):
        return {"paths": list(value.paths), "at_least": value.at_least}
    return [_plain(entry) for entry in value] if isinstance(value, tuple) else value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, EvidenceRule):
        return f"{{paths = {_text(value.paths)}, at_least = {_text(value.at_least)}}}"
    return "none" if value is None else f'"{value}"' if isinstance(value, str | Path) else str(value)
