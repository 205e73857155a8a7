"""The change that a result proposes, read from the trees that it names, so that the record holds it as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from veriloop.assistant.design.hunks import FileVersions
from veriloop.assistant.errors import RepositoryError
from veriloop.assistant.session.change import Change, judge_options

_MOST_BYTES = 8_000_000


def proposed(data: Mapping[str, Any], cwd: Path) -> Mapping[str, Any] | None:
    """A result's change, for the record; none where it proposes none that can be applied.

    A check of what is on disk or staged proposes nothing: it is there already.
    """
    report = data.get("report") or (data if data.get("tree") else None)
    if not report or report.get("tree") == report.get("base") or data.get("applied"):
        return None
    replay = str(report.get("replay", ""))
    if "status" not in data and replay.split()[:2] == ["veriloop", "check"] and _is_there(replay):
        return None
    # Imported here because git's library takes longer to load than a terminal to open.
    from veriloop.assistant.repository.repository import Repository

    try:
        repository = Repository.open(cwd)
        pairs = [
            (path, repository.read(report["base"], path), repository.read(report["tree"], path))
            for path in report["paths"]
        ]
    except RepositoryError:
        return None
    if sum(len(content or b"") for _, *contents in pairs for content in contents) > _MOST_BYTES:
        return None
    return {
        "base": report["base"],
        "tree": report["tree"],
        "judge": list(judge_options(replay)),
        "title": ", then ".join(data.get("operators", ())) or "a patch",
        "files": [{"path": path, "before": _text(before), "after": _text(after)} for path, before, after in pairs],
        "report": report,
    }


def change_of(data: Mapping[str, Any], entry: int) -> Change:
    """The change that an entry of the record holds."""
    return Change.of(
        [
            FileVersions(path=file["path"], before=_bytes(file["before"]), after=_bytes(file["after"]))
            for file in data["files"]
        ],
        base=data["base"],
        tree=data["tree"],
        judge=tuple(data["judge"]),
        title=data["title"],
        entry=entry,
    )


def _is_there(replay: str) -> bool:
    words = replay.split()
    return len(words) < 3 or words[2] in ("--worktree", "--staged")


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", errors="surrogateescape")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", errors="surrogateescape")
