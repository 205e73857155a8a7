"""What may be meant by what has been typed so far: a command after a slash, a file after an `@`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from veriloop.assistant.session.commands import commands
from veriloop.tui.files import fitting

_MOST = 8
_FILE = re.compile(r'(?<!\S)@(?P<typed>[^\s"]*)$')
_COMMAND = re.compile(r"^/(?P<typed>[\w-]*)$")


def complete(text: str, files: Callable[[], Sequence[str]]) -> tuple[str, Sequence[tuple[str, str]]]:
    """The part of a text that is completed, and what it may become, each with a remark.

    Args:
        text: up to the cursor.
        files: all files that can be named; asked for only where one is.
    """
    command = _COMMAND.search(text)
    if command:
        typed = command["typed"]
        found = [(f"/{name}", what) for name, what in commands().items() if name.startswith(typed)]
        return command[0], found
    file = _FILE.search(text)
    if file:
        names = fitting(file["typed"], files(), _MOST)
        return file[0], [(f'@"{name}"' if " " in name else f"@{name}", "") for name in names]
    return "", ()
