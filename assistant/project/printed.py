"""File lists that a command prints."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from veriloop.assistant.design.filelist import read_filelist
from veriloop.assistant.errors import ConfigError, ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute
from veriloop.assistant.project.model import Build, Origin
from veriloop.assistant.project.tools import from_filelist
from veriloop.assistant.project.tree import Tree


def printed_list(root: Path, command: str, *, timeout_s: float, cancel: CancelToken) -> Build:
    """What a command of the user's prints, read as a file list whose paths start at the root.

    Raises:
        ToolFailed: the command fails, or prints no file of the tree.
        ConfigError: what it prints cannot be read.
    """
    done = execute(["sh", "-c", command], cwd=root, timeout_s=timeout_s, cancel=cancel)
    if not done.ok:
        why = "takes too long" if done.timed_out else f"ends with {done.returncode}"
        raise ToolFailed(f"`{command}` {why}", output=done.output)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "printed.f")
        path.write_text(done.output, encoding="utf-8")
        try:
            listed = read_filelist(path, base=root, lenient=True)
        except ConfigError as error:
            raise ConfigError(f"what `{command}` prints is no file list: {error.message}") from error
    build = from_filelist(listed, Tree(root), Origin(path=Path(), reader=command), name=command)
    if not build.sources:
        raise ToolFailed(f"`{command}` prints no file of this tree", output=done.output)
    return replace(build, kind="files")
