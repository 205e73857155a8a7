"""What the log of a self-checking testbench says: passed, failed, or nothing.

A run passes only by saying so. `Error` may stand in a passing log ("0 errors"), an exit code of 0 says little, and a
log that was cut off says nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from veriloop.assistant.verify.results import Mismatch

NO_SUMMARY = "the testbench says neither pass nor fail"

_COUNT = re.compile(r"^\W*Mismatches:\s*(\d+)\s+in\s+(\d+)\s+samples", re.M | re.I)
_OUTPUT_BAD = re.compile(r"Output '(\w+)' has (\d+) mismatches(?:\. First mismatch occurred at time (\d+))?")
_OUTPUT_GOOD = re.compile(r"Output '(\w+)' has no mismatches")
_OWN_TIMEOUT = re.compile(r"^\W*TIME[ -]?OUT\b", re.M | re.I)
_SEVERITY = re.compile(r"(?:^|\] )%(?:Error|Fatal)\b.*$|^(?:ERROR|FATAL)[:\s].*$", re.M)
_ZERO_FAILURES = re.compile(
    r"\b(?:no|0+|zero)\s+(?:errors?|fail(?:ed|ures?|s)?|mismatch(?:es)?)\b"
    r"|\b(?:errors?|fail(?:ed|ures?|s)?|mismatch(?:es)?)\s*(?:count)?\s*[:=]\s*0+\b(?!\s*x|\.\d)",
    re.I,
)
_FAIL = re.compile(r"\bfail(?:ed|ure|ures|s)?\b|\berrors?\b|\bmismatch(?:es|ed)?\b|\bincorrect\b|\bwrong\b", re.I)
_PASS = re.compile(
    r"\bpass(?:ed|es)?\b|\bsuccess(?:ful|fully)?\b|\ball\b.*\btests?\b.*\bok\b|\btests?\b.*\bok\b\s*$", re.I
)
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")
_TIME = re.compile(r"(?:@|\bat\b|\btime\b|\bt\b)\s*[:=]?\s*(\d+(?:\.\d+)?\s*(?:[munpf]?s)?)", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a log says; `passed` is none where it says nothing."""

    passed: bool | None
    reason: str
    checks: int = 0
    failures: int = 0
    failing: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()


def read_summary(log: str, *, pass_pattern: str = "", fail_pattern: str = "", self_checking: bool = False) -> Summary:
    """Reads the log of a run that ended by itself with exit code 0.

    Args:
        log: everything that was printed.
        pass_pattern: the user's regular expression for a pass; then nothing else is one.
        fail_pattern: the user's regular expression for a failure.
        self_checking: the testbench's source holds `$error`, `$fatal` or assertions, so ending in silence passes.
    """
    if fail_pattern and (hit := re.search(fail_pattern, log, re.M)):
        return Summary(passed=False, reason=f"the log has {hit[0]!r}", **_named(hit[0].splitlines()))
    if severity := _SEVERITY.findall(log):
        return Summary(passed=False, reason=severity[0].strip()[:200], failures=len(severity), **_named(severity))
    if counted := _COUNT.findall(log):
        return _from_count(log, int(counted[-1][0]), int(counted[-1][1]))
    if pass_pattern:
        passed = re.search(pass_pattern, log, re.M) is not None
        return Summary(passed=passed, reason=f"the log has {'a' if passed else 'no'} match of {pass_pattern!r}")
    return _from_words(log, self_checking)


def severity_lines(log: str) -> tuple[str, ...]:
    """The lines by which a simulator reports `$error` and `$fatal`."""
    return tuple(_SEVERITY.findall(log))


def _from_count(log: str, failures: int, checks: int) -> Summary:
    bad = _OUTPUT_BAD.findall(log)
    passed, reason = failures == 0 and checks > 0, f"{failures} of {checks} samples mismatch"
    if checks == 0:
        reason = "no sample was compared"
    elif passed and _OWN_TIMEOUT.search(log):
        passed, reason = False, "the testbench's own time-out came first"
    return Summary(
        passed=passed,
        reason=reason,
        checks=checks,
        failures=failures,
        failing=tuple(name for name, _, _ in bad),
        passing=tuple(_OUTPUT_GOOD.findall(log)),
        mismatches=tuple(Mismatch(signal=name, time=time) for name, _, time in bad),
    )


def _from_words(log: str, self_checking: bool) -> Summary:
    bad, good = [], []
    for line in log.splitlines():
        cleared = _ZERO_FAILURES.sub(" ", line)
        if _FAIL.search(cleared):
            bad.append(line)
        elif cleared != line or _PASS.search(line):
            good.append(line)
    if bad:
        # A closing line such as "FAILED: 3 errors" is one more line, not one more check; shares are all that is used.
        total = len(bad) + len(good)
        return Summary(passed=False, reason=bad[0].strip()[:200], checks=total, failures=len(bad), **_named(bad))
    if _OWN_TIMEOUT.search(log):
        return Summary(passed=False, reason="the testbench's own time-out")
    if good:
        return Summary(passed=True, reason=good[-1].strip()[:200], checks=len(good))
    if self_checking:
        return Summary(passed=True, reason="ended with no $error, $fatal or failed assertion", checks=1)
    return Summary(passed=None, reason=NO_SUMMARY)


def _named(lines: list[str]) -> dict[str, tuple[str, ...] | tuple[Mismatch, ...]]:
    """The words of the failing lines, which the search intersects with the design's signals, and the first time."""
    words = tuple(dict.fromkeys(word for line in lines[:50] for word in _WORD.findall(line)))
    first = _TIME.search(lines[0]) if lines else None
    mismatches = (Mismatch(signal="", time=first[1].strip()),) if first else ()
    return {"failing": words, "mismatches": mismatches}
