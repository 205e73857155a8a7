"""Why something was changed, answered from the record: from the applied change back to what was asked for."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from veriloop.assistant.session.record import Entry, Record

_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(?P<start>\d+)(?:,(?P<count>\d+))? @@", re.M)
_NEW_FILE = re.compile(r"^\+\+\+ (?:b/)?(?P<path>.+)$", re.M)


def why(record: Record, path: str = "", line: int = 0) -> str:
    """Why a file, or a line of it, is as it is; without either, why the last change was made.

    Args:
        record: the session.
        path: a file, relative to the root of the work tree, or the end of its path; empty: any.
        line: counted from 1, in the file after the change; 0: any.
    """
    applied = [entry for entry in record.entries if entry.kind == "applied" and _touches(entry, path, line)]
    if not applied:
        where = f"{path}{f':{line}' if line else ''}" if path else "anything"
        return f"Nothing in this session has changed {where}."
    last = applied[-1]
    chain = [last, *record.causes(last)]
    lines = [*_told(chain, record)]
    undone = [entry for entry in record.entries if entry.kind == "undone" and entry.number > last.number]
    if undone:
        lines.append(f"It was taken back at {_clock(undone[0])}.")
    if len(applied) > 1:
        lines.append(f"Before that, {len(applied) - 1} more of its changes touched the same place.")
    return "\n".join(lines)


def _told(chain: Sequence[Entry], record: Record) -> Iterator[str]:
    by_kind: dict[str, Entry] = {}
    for entry in chain:
        by_kind.setdefault(entry.kind, entry)
    applied = chain[0]
    hunks = applied.data.get("hunks", ())
    part = f", {sum(one != 'rejected' for one in hunks)} of {len(hunks)} hunks" if len(hunks) > 1 else ""
    yield f"At {_clock(applied)} I changed {', '.join(applied.data.get('paths', ()))}{part}."
    said = by_kind.get("said")
    if said is not None:
        yield f"You had said: {said.data['text']}"
    plan = by_kind.get("plan") or _sibling(said, "plan", record)
    if plan is not None:
        why_so = f" ({plan.data['why']})" if plan.data.get("why") else ""
        yield f"I took that for: veriloop {plan.data['line']}{why_so}"
    result = _sibling(said, "result", record)
    if result is not None:
        yield from _result(result.data.get("data", {}))
    for choice in (one for one in record.entries if one.kind == "choice" and _between(one, chain)):
        numbers = ", ".join(map(str, choice.data["hunks"]))
        what = "edited" if "text" in choice.data else "accepted" if choice.data["accepted"] else "rejected"
        yield f"You {what} hunk {numbers}."
    verdict = by_kind.get("verdict")
    if verdict is not None:
        yield f"The gate said of what was applied: {verdict.data['line']}"


def _result(data: Mapping[str, Any]) -> Iterator[str]:
    report = data.get("report") or data
    for step in report.get("baseline", ()):
        red = [run for run in step["runs"] if run["outcome"] != "pass"]
        if red:
            start = f" from {red[0]['start']}" if red[0]["start"] else ""
            yield f"Before it, {step['name']} failed: {red[0]['reason']} ({red[0]['engine']}{start})."
    if data.get("candidates"):
        kinds = ", then ".join(data.get("operators", ()))
        yield f"Of {data['candidates']} candidates that were simulated, this one passed: {kinds}."
    for line in data.get("differences", ()):
        yield f"Another one passes as well and still differs: {line}."


def _sibling(said: Entry | None, kind: str, record: Record) -> Entry | None:
    """What else followed from the same words."""
    if said is None:
        return None
    return next((one for one in record.entries if one.kind == kind and one.cause == said.number), None)


def _between(entry: Entry, chain: Sequence[Entry]) -> bool:
    change = next((one for one in chain if one.kind == "change"), None)
    return change is not None and change.number < entry.number < chain[0].number


def _touches(entry: Entry, path: str, line: int) -> bool:
    if not path:
        return True
    paths = [one for one in entry.data.get("paths", ()) if one == path or one.endswith(f"/{path}")]
    if not paths:
        return False
    return not line or any(low <= line <= high for low, high in _ranges(str(entry.data.get("diff", "")), paths))


def _ranges(diff: str, paths: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The lines of the files, after the change, that the hunks of a diff span."""
    inside = False
    for text in diff.splitlines():
        file = _NEW_FILE.match(text)
        hunk = _HUNK.match(text)
        if file:
            inside = file["path"] in paths
        elif hunk and inside:
            start, count = int(hunk["start"]), int(hunk["count"] or 1)
            yield start, start + max(0, count - 1)


def _clock(entry: Entry) -> str:
    return time.strftime("%H:%M", time.localtime(entry.at))
