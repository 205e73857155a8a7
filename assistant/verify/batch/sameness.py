"""Whether two runs did the same."""

from __future__ import annotations

import re

from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import LOG_TAIL_CHARS

_PLACE = re.compile(r"[^\s:'\"]*\.\w+:\d+(?::\d+)?")
_DUMP = re.compile(r"^VCD info: .*\n", re.M)


def same_run(one: SimResult, other: SimResult) -> bool:
    """Whether two runs did the same and said the same, but for the places in files that they name."""

    def facts(run: SimResult) -> tuple[object, ...]:
        texts = (_plain(text) for text in (run.reason, run.log_tail))
        return (run.outcome, run.checks, run.failures, run.failing, run.passing, run.mismatches, *texts)

    return facts(one) == facts(other)


def same_start(broken_off: SimResult, whole: SimResult) -> bool:
    """Whether a run that was broken off early had said nothing else until then."""
    known = len(whole.log_tail) < LOG_TAIL_CHARS
    return (
        broken_off.outcome is Outcome.TIMEOUT
        and known
        and _plain(whole.log_tail).startswith(_plain(broken_off.log_tail))
    )


def _plain(text: str) -> str:
    return _PLACE.sub("", _DUMP.sub("", text))
