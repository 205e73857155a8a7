"""SARIF 2.1.0, as code hosts and editors read it (OASIS, sarif-v2.1.0)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from veriloop.assistant.change.forms.marks import RULES, Mark
from veriloop.assistant.change.result import Checked
from veriloop.assistant.verify.rules import explained

_ROOT = "SRCROOT"


def sarif(checked: Checked, marks: Sequence[Mark], version: str) -> str:
    """One run of one tool, with a result a mark."""
    names = list(dict.fromkeys(mark.rule for mark in marks))
    driver = {
        "name": "veriloop",
        "rules": [{"id": name, "shortDescription": {"text": _about(name)}} for name in names],
        **({"version": version} if version else {}),
    }
    report = checked.report
    run = {
        "tool": {"driver": driver},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the work tree."}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "exitCode": checked.outcome.exit_code}],
        "results": [_result(mark, names.index(mark.rule)) for mark in marks],
        "properties": {
            "outcome": checked.outcome.value,
            "evidence": report.evidence.label,
            "tree": report.tree,
            "tools": dict(report.tools),
            "notChecked": list(report.unchecked),
            "replay": report.replay,
        },
    }
    return json.dumps({"version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _result(mark: Mark, index: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": mark.rule,
        "ruleIndex": index,
        "level": mark.level,
        "message": {"text": mark.text or _about(mark.rule)},
    }
    if mark.path:
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(mark.path), "uriBaseId": _ROOT}}
        if mark.line > 0:
            column = {"startColumn": mark.column} if mark.column > 0 else {}
            place["region"] = {"startLine": mark.line, **column}
        found["locations"] = [{"physicalLocation": place}]
    return found


def _about(rule: str) -> str:
    return RULES.get(rule) or explained(rule) or rule
