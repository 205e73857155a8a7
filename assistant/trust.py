"""Which commands of a repository the user has allowed to run.

A repository's own files may name commands, and whoever wrote the repository wrote those. So they run only once the
user has seen and allowed them; what is remembered is a hash of the commands and of where the tree lies, so that a
changed command is asked about again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from veriloop.assistant.config import Config
from veriloop.assistant.durable import write_whole
from veriloop.assistant.errors import ConfigError, NotVerified
from veriloop.assistant.places import REPOSITORY_FILE, user_state_directory

TRUST_FILE = "trusted.json"


RUNS_CODE = ("command", "cocotb")
"""The kinds of testbench that run a program of the repository: a command, or Python."""


def commands(config: Config) -> tuple[str, ...]:
    """The commands and the cocotb modules that the repository's own file names, in its order."""
    return tuple(
        settings.command if settings.kind == "command" else f"cocotb: {settings.module}"
        for settings in config.repository.testbench
        if settings.kind in RUNS_CODE
    )


def fingerprint(root: Path, config: Config) -> str:
    """The SHA-256 of the commands and of where the tree lies."""
    content = json.dumps([str(root.resolve()), *commands(config)])
    return hashlib.sha256(content.encode("utf-8", errors="surrogateescape")).hexdigest()


def is_trusted(root: Path, config: Config, environment: Mapping[str, str] | None = None) -> bool:
    """Whether the repository names no commands, or the user has allowed exactly these.

    Raises:
        ConfigError: the record of what is allowed cannot be read.
    """
    return not commands(config) or fingerprint(root, config) in _load(_record(environment))


def trust(root: Path, config: Config, environment: Mapping[str, str] | None = None) -> None:
    """Allows the commands that the repository names now, in place of those allowed for it before.

    Raises:
        ConfigError: the record cannot be read or written.
    """
    record = _record(environment)
    kept = _without(_load(record), root)
    _store(record, {**kept, fingerprint(root, config): {"root": str(root.resolve()), "commands": commands(config)}})


def distrust(root: Path, environment: Mapping[str, str] | None = None) -> bool:
    """Takes back what was allowed for a tree; false where nothing was.

    Raises:
        ConfigError: the record cannot be read or written.
    """
    record = _record(environment)
    known = _load(record)
    kept = _without(known, root)
    if len(kept) == len(known):
        return False
    _store(record, kept)
    return True


def require_trust(root: Path, config: Config, environment: Mapping[str, str] | None = None) -> None:
    """Passes where the repository's commands may run. A command that the user typed needs no trust.

    Raises:
        NotVerified: the user has not allowed them.
        ConfigError: the record of what is allowed cannot be read.
    """
    if not is_trusted(root, config, environment):
        raise NotVerified(f"the commands in {REPOSITORY_FILE} have not been trusted yet", hint="veriloop trust")


def _record(environment: Mapping[str, str] | None) -> Path:
    return user_state_directory(os.environ if environment is None else environment) / TRUST_FILE


def _without(known: Mapping[str, Any], root: Path) -> dict[str, Any]:
    return {name: entry for name, entry in known.items() if entry.get("root") != str(root.resolve())}


def _load(record: Path) -> dict[str, Any]:
    try:
        found = json.loads(record.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{record}: cannot be read: {error.strerror}") from error
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(entry, dict) for entry in found.values()):
        raise ConfigError(f"{record}: is damaged", hint=f"rm {record}    (then trust your repositories again)")
    return found


def _store(record: Path, content: Mapping[str, Any]) -> None:
    """Writes the record whole or not at all."""
    try:
        record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(record, json.dumps(content, indent=1))
    except OSError as error:
        raise ConfigError(f"{record}: cannot be written: {error.strerror}") from error
