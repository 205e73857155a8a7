"""Where things are: the root of a tree, the user's own configuration, and what is remembered between runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

REPOSITORY_FILE = "veriloop.toml"
USER_FILE = Path("veriloop", "config.toml")


def find_root(directory: Path) -> Path:
    """The nearest directory at or above one that holds a `veriloop.toml` or is a git work tree; else itself."""
    absolute = directory.absolute()
    for candidate in (absolute, *absolute.parents):
        if (candidate / REPOSITORY_FILE).is_file() or (candidate / ".git").exists():
            return candidate
    return absolute


def user_config_path(environment: Mapping[str, str]) -> Path:
    """Where the user's configuration stands, whether it is there or not (XDG base directories)."""
    return _base_directory(environment, "XDG_CONFIG_HOME", ".config") / USER_FILE


def user_state_directory(environment: Mapping[str, str]) -> Path:
    """Where what is to be remembered between runs is kept (XDG base directories)."""
    return _base_directory(environment, "XDG_STATE_HOME", ".local/state") / "veriloop"


def _base_directory(environment: Mapping[str, str], name: str, default: str) -> Path:
    value = environment.get(name, "")
    # The XDG specification: a relative path is invalid and ignored.
    return Path(value) if value.startswith("/") else Path(environment.get("HOME") or Path.home()) / default
