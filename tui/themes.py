"""How it looks: on dark and on light ground, and without any colour."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from textual.theme import Theme

from veriloop.assistant.durable import write_whole
from veriloop.assistant.places import user_state_directory

DARK, LIGHT, MONO = "veriloop-dark", "veriloop-light", "veriloop-mono"

THEMES = (
    Theme(
        name=DARK,
        primary="#6cb6ff",
        secondary="#8a93a6",
        accent="#d2a8ff",
        foreground="#d8dee9",
        background="#12151c",
        surface="#12151c",
        panel="#1c212c",
        success="#7ee2a8",
        warning="#f0c674",
        error="#ff8f8f",
        dark=True,
        variables={
            "text-dim": "#8d96a8",
            "added": "#12301f",
            "removed": "#3a1a1e",
            "added-word": "#1f5a37",
            "removed-word": "#6b2a31",
            "here": "#2a3344",
            "footer-key-foreground": "#6cb6ff",
        },
    ),
    Theme(
        name=LIGHT,
        primary="#0b5cad",
        secondary="#5a6372",
        accent="#7a3fb0",
        foreground="#1d2129",
        background="#fbfbf9",
        surface="#fbfbf9",
        panel="#ecedf0",
        success="#0d6b35",
        warning="#8a5a00",
        error="#b3202a",
        dark=False,
        variables={
            "text-dim": "#5f6775",
            "added": "#dcf5e3",
            "removed": "#fbe3e4",
            "added-word": "#a6e3b8",
            "removed-word": "#f3b6ba",
            "here": "#dde6f3",
            "footer-key-foreground": "#0b5cad",
        },
    ),
    Theme(
        name=MONO,
        primary="#ffffff",
        secondary="#ffffff",
        accent="#ffffff",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#000000",
        success="#ffffff",
        warning="#ffffff",
        error="#ffffff",
        dark=True,
        variables={
            "text-dim": "#ffffff",
            "added": "#000000",
            "removed": "#000000",
            "added-word": "#000000",
            "removed-word": "#000000",
            "here": "#000000",
            "footer-key-foreground": "#ffffff",
        },
    ),
)


def chosen(environment: Mapping[str, str] | None = None) -> str:
    """The theme to begin with: that of the last time, else what the terminal says about its ground."""
    environment = os.environ if environment is None else environment
    try:
        kept = str(json.loads(_file(environment).read_text())["theme"])
    except (OSError, ValueError, KeyError, TypeError):
        kept = ""
    if kept in (DARK, LIGHT, MONO):
        return kept
    ground = environment.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT if ground in ("7", "15") else DARK


def keep(theme: str, environment: Mapping[str, str] | None = None) -> None:
    """Remembers a theme; a disk that refuses it costs nothing else."""
    path = _file(os.environ if environment is None else environment)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, json.dumps({"theme": theme}))
    except OSError:
        return


def _file(environment: Mapping[str, str]) -> Path:
    return user_state_directory(environment) / "terminal.json"
