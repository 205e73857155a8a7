"""The closing counts of test runners in a log: pytest, unittest, TAP, cocotb, UVM, VUnit, CTest, SymbiYosys.

They outrank the words of the lines around them, and an exit code of 0: a runner that counts a failure has failed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_NAMES = 200
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

_PYTEST = re.compile(r"^=+ (?P<counts>(?:\d+ \w+(?:, )?)+|no tests ran) in [\d.]+m?s.*?=*$", re.M)
_PYTEST_QUIET = re.compile(r"^(?P<counts>\d+ (?:passed|failed|error)\w*(?:, \d+ \w+)*|no tests ran) in [\d.]+m?s", re.M)
_PYTEST_COUNT = re.compile(r"(\d+) (passed|failed|errors?|xpassed)")
_PYTEST_NAME = re.compile(r"^(?:FAILED|ERROR) (\S+::\S+)", re.M)
_UNITTEST = re.compile(r"^Ran (\d+) tests? in [\d.]+s\s+^(OK|FAILED)(?: \(([^)]*)\))?", re.M)
_UNITTEST_NAME = re.compile(r"^(?:FAIL|ERROR): (\S+ \(\S+\))", re.M)
_TAP_PLAN = re.compile(r"^1\.\.(\d+)", re.M)
_TAP = re.compile(r"^(not )?ok (\d+)\b[ -]*([^#\n]*)(#\s*(?:skip|todo)\b)?", re.M | re.I)
_COCOTB = re.compile(r"\*\* TESTS=(\d+) PASS=(\d+) FAIL=(\d+) SKIP=(\d+)")
_COCOTB_NAME = re.compile(r"\*\* (\S+)\s+\S*FAIL\b")
_UVM = re.compile(r"^#?\s*UVM_(ERROR|FATAL)\s*:\s*(\d+)\s*$", re.M)
_UVM_REPORT = re.compile(r"^#?\s*UVM_(?:ERROR|FATAL)\s+(?:\S+\(\d+\)\s+)?@\s*\S+\s*(?:ns|ps)?:\s*(\S+)", re.M)
_VUNIT = re.compile(r"^(pass|fail) (\d+) of (\d+)\s*$", re.M)
_VUNIT_NAME = re.compile(r"^fail (\S+\.\S+)", re.M)
_CTEST = re.compile(r"^\d+% tests passed, (\d+) tests? failed out of (\d+)", re.M)
_SBY = re.compile(r"DONE \((PASS|FAIL|UNKNOWN|ERROR|TIMEOUT), rc=\d+\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What runners counted, all of them in a log together."""

    runners: tuple[str, ...]
    passed: int
    failed: int
    failing: tuple[str, ...] = ()
    """Names of failing tests, as far as the log gives them."""

    @property
    def green(self) -> bool:
        """Whether something ran and nothing failed."""
        return self.passed > 0 and self.failed == 0

    @property
    def reason(self) -> str:
        """The counts, in a line."""
        total = self.passed + self.failed
        return f"{self.passed} of {total} tests passed" if total else "no test ran"


def read_tally(log: str) -> Tally | None:
    """The counts in a log; none where no known runner has closed it."""
    text = _ANSI.sub("", log)
    found = [(name, *counts) for name, read in _READERS.items() if (counts := read(text)) is not None]
    if not found:
        return None
    return Tally(
        runners=tuple(name for name, _, _, _ in found),
        passed=sum(passed for _, passed, _, _ in found),
        failed=sum(failed for _, _, failed, _ in found),
        failing=tuple(dict.fromkeys(name for _, _, _, names in found for name in names))[:_NAMES],
    )


_Counts = tuple[int, int, list[str]]


def _pytest(text: str) -> _Counts | None:
    closing = [*_PYTEST.finditer(text)] or [*_PYTEST_QUIET.finditer(text)]
    if not closing:
        return None
    counts = [(int(number), word) for one in closing for number, word in _PYTEST_COUNT.findall(one["counts"])]
    passed = sum(number for number, word in counts if word in ("passed", "xpassed"))
    failed = sum(number for number, word in counts if word.startswith(("failed", "error")))
    return passed, failed, _PYTEST_NAME.findall(text)


def _unittest(text: str) -> _Counts | None:
    closing = _UNITTEST.findall(text)
    if not closing:
        return None
    bad = sum(int(number) for _, _, why in closing for number in re.findall(r"(?:failures|errors)=(\d+)", why))
    skipped = sum(int(number) for _, _, why in closing for number in re.findall(r"skipped=(\d+)", why))
    ran = sum(int(number) for number, _, _ in closing)
    return max(0, ran - bad - skipped), bad, _UNITTEST_NAME.findall(text)


def _tap(text: str) -> _Counts | None:
    plan = _TAP_PLAN.search(text)
    lines = _TAP.findall(text)
    if plan is None or not lines:
        return None
    counted = [(bool(bad), name.strip()) for bad, _, name, excused in lines if not excused]
    failing = [name for bad, name in counted if bad]
    # A plan that was not run to its end is a failure.
    short = max(0, int(plan[1]) - len(lines))
    return len(counted) - len(failing), len(failing) + short, failing


def _cocotb(text: str) -> _Counts | None:
    closing = _COCOTB.findall(text)
    if not closing:
        return None
    passed, failed = (sum(int(one[at]) for one in closing) for at in (1, 2))
    return passed, failed, _COCOTB_NAME.findall(text)


def _uvm(text: str) -> _Counts | None:
    counts = _UVM.findall(text)
    if not counts:
        return None
    bad = sum(int(number) for _, number in counts)
    # A test that reports nothing but notes is one test that passed.
    return int(bad == 0), bad, _UVM_REPORT.findall(text)


def _vunit(text: str) -> _Counts | None:
    closing = {word: int(number) for word, number, _ in _VUNIT.findall(text)}
    if not closing:
        return None
    return closing.get("pass", 0), closing.get("fail", 0), _VUNIT_NAME.findall(text)


def _ctest(text: str) -> _Counts | None:
    closing = _CTEST.findall(text)
    if not closing:
        return None
    failed, total = (sum(int(one[at]) for one in closing) for at in (0, 1))
    return total - failed, failed, []


def _sby(text: str) -> _Counts | None:
    closing = _SBY.findall(text)
    if not closing:
        return None
    passed = closing.count("PASS")
    return passed, len(closing) - passed, []


_READERS: dict[str, Callable[[str], _Counts | None]] = {
    "pytest": _pytest,
    "unittest": _unittest,
    "TAP": _tap,
    "cocotb": _cocotb,
    "UVM": _uvm,
    "VUnit": _vunit,
    "CTest": _ctest,
    "sby": _sby,
}
