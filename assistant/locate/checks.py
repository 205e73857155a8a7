"""The checks of a recorded run: when each was made, whether it failed, and what it looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from veriloop.assistant.design.probes import Probe
from veriloop.assistant.verify.execution import Execution
from veriloop.assistant.verify.summary import read_line

_FIELD = re.compile(r"%0?\d*[a-zA-Z]")
_BY_COUNT = "by its count"


@dataclass(frozen=True, slots=True)
class Check:
    """What a testbench said at one time, in fs."""

    at_fs: int
    failed: bool
    scope: str = ""
    reads: frozenset[str] = frozenset()
    """The signals of `scope` that it prints or asks about."""


def checks_of(execution: Execution) -> tuple[Check, ...]:
    """The checks in their order, one a time: one that failed outweighs what else is said then.

    What is printed with a count, and says by it how the run went, counts only where nothing else says of a failure.
    """
    printing = {one.name: one for own in execution.probes.values() for one in own if one.prints}
    said = {name: _says(one.prints) for name, one in printing.items()}
    plain = {name: verdict for name, verdict in said.items() if isinstance(verdict, bool)}
    counting = {name: False for name, verdict in said.items() if verdict == _BY_COUNT}
    found = _made(execution, printing, plain)
    return found if any(one.failed for one in found) else _made(execution, printing, {**plain, **counting})


def _made(execution: Execution, printing: Mapping[str, Probe], passes: Mapping[str, bool]) -> tuple[Check, ...]:
    found: dict[int, Check] = {}
    for (scope, name), times in execution.times.items():
        for at_fs in times if name in passes else ():
            check = Check(at_fs, not passes[name], scope, printing[name].reads)
            known = found.get(at_fs)
            if known is None or (check.failed, len(check.reads)) > (known.failed, len(known.reads)):
                found[at_fs] = check
    return tuple(sorted(found.values(), key=lambda one: one.at_fs))


def first_failure(checks: Sequence[Check]) -> Check | None:
    """The first check that failed."""
    return next((one for one in checks if one.failed), None)


def _says(text: str) -> bool | str | None:
    if text.startswith(("$error", "$fatal")):
        # Without a text of their own.
        return False
    many, none = (read_line(_FIELD.sub(number, text.strip('"'))) for number in ("7", "0"))
    return many if many == none else _BY_COUNT
