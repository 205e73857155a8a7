"""What a program of the repository finds around it: variables, Python packages; and the version of Veriloop."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from veriloop.assistant.execute import clean_environment

_TERMINAL = re.compile(
    r"(?:SSH|XDG|DBUS|TMUX|VSCODE|PYTEST|KITTY|WT|KONSOLE|GNOME|VTE|VERILOOP|PRE_COMMIT)_|(?:_|PWD|OLDPWD|SHLVL|COLUMNS"
    r"|LINES|TERM|TERM_\w+|COLORTERM|WINDOWID|DISPLAY|WAYLAND_DISPLAY|LS_COLORS|PS1|STY|HOSTNAME|LESS\w*|PAGER|EDITOR"
    r"|VISUAL|PRE_COMMIT)$"
)


def environment() -> Iterator[tuple[str, str]]:
    """The variables that a program of the repository finds, without those that change with the terminal alone."""
    for name, value in sorted(clean_environment().items()):
        if not _TERMINAL.match(name):
            # Hashed: a value may be a secret.
            yield name, hashlib.sha256(os.fsencode(value)).hexdigest()[:16]


def packages() -> list[str]:
    """The installed Python packages, each with its version; their metadata's directories are named so."""
    found = set()
    for place in {*sys.path, sysconfig.get_path("purelib")}:
        with contextlib.suppress(OSError):
            names = (path.name for path in Path(place or ".").iterdir())
            found |= {name.removesuffix(".dist-info") for name in names if name.endswith(".dist-info")}
    return sorted(found)


def own_version() -> str:
    """That of the installed package; empty in a checkout without an installation."""
    try:
        return importlib.metadata.version("veriloop")
    except importlib.metadata.PackageNotFoundError:
        return ""
