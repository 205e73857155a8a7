"""Findings of lint that are known already and block nothing: a file that a team keeps in its repository."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.durable import write_whole
from veriloop.assistant.errors import UsageError
from veriloop.assistant.verify.judged import unplaced

_SCHEMA = 1

Baseline = Counter[tuple[str, str, str]]
"""How often a file holds a rule with a message; lines do not count, as every edit moves them."""


def read_baseline(path: Path) -> Baseline:
    """The findings of a file.

    Raises:
        UsageError: it cannot be read, or is no such file.
    """
    try:
        data = json.loads(path.read_bytes())
        if data["schema"] != _SCHEMA:
            raise ValueError
        return Counter(
            {(str(one["path"]), str(one["rule"]), str(one["message"])): int(one["count"]) for one in data["findings"]}
        )
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="veriloop check --write-baseline FILE"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no baseline of lint", hint="veriloop check --write-baseline FILE") from error


def write_baseline(path: Path, findings: Iterable[Diagnostic]) -> int:
    """Keeps findings; how many. The order is the same on every machine, so that a diff shows what changed.

    Raises:
        UsageError: the file cannot be written.
    """
    counts = Counter(map(unplaced, findings))
    rows = [
        {"path": name, "rule": rule, "message": message, "count": count}
        for (name, rule, message), count in sorted(counts.items())
    ]
    try:
        write_whole(path, json.dumps({"schema": _SCHEMA, "findings": rows}, indent=1) + "\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    return sum(counts.values())


def without_known(findings: Iterable[Diagnostic], known: Baseline) -> tuple[Diagnostic, ...]:
    """The findings that a baseline does not hold; of more than it holds, those that come last."""
    left = Counter(known)
    kept = []
    for one in findings:
        if left[unplaced(one)] > 0:
            left[unplaced(one)] -= 1
        else:
            kept.append(one)
    return tuple(kept)
