"""What the log of a self-checking testbench says: passed, failed, or nothing.

A run passes only by saying so. `Error` may stand in a passing log ("0 errors"), an exit code of 0 says little, and a
log that was cut off says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from veriloop.assistant.verify.results import Mismatch

NO_SUMMARY = "the testbench says neither pass nor fail"
SILENT = "exit code 0, and the log says nothing"
"""Of a command that passes by its exit code alone."""

_REASON_CHARS = 200
_LINES_READ = 50
_LINE_CHARS = 400

_COUNT = re.compile(r"^[^\w\n]*Mismatches:\s*(\d+)\s+in\s+(\d+)\s+samples", re.M | re.I)
_OUTPUT_BAD = re.compile(r"Output '(\w+)' has (\d+) mismatches(?:\. First mismatch occurred at time (\d+))?")
_OUTPUT_GOOD = re.compile(r"Output '(\w+)' has no mismatches")
_OWN_TIMEOUT = re.compile(r"^[^\w\n]*TIME[ -]?OUT\b(?!\s*[:=]?\s*\d)(?!.*\b(?:pass|ok\b))|\btimed out\b", re.M | re.I)
_SEVERITY = re.compile(r"(?:^|\] )%(?:Error|Fatal)\b.*$|^(?:ERROR|FATAL):.*$", re.M)

_HINT = re.compile(r"err|fail|fatal|mis|not ok|pass|ok|success|succeed|wrong|incorrect", re.I)
_BAD = r"(?:err(?:or)?s?|fail(?:ed|ures?|s|ing)?|fatals?|mismatch(?:es|ed)?)"
_COUNTER = rf"(?:(?:num|total|n|tb|test|uvm)_)?{_BAD}(?:_(?:cnt|count|counter|num|total))?"
_CHECKS = r"(?:tests?|test[ -]?cases?|cases?|checks?|vectors?|samples?|assertions?|comparisons?)"
_OF = r"\s*(?:/|(?:out )?of)\s*"
_NOISE = re.compile(
    # What a makefile echoes: switches such as -Wno-error, and names of files.
    r"(?<!\S)-W[\w=-]+|[\w./-]+\.(?:s?vh?|log|txt|py|c|cc|cpp|h|o|vvp|vcd|fst|mk|xml)\b"
    # A label, and what is no verdict yet.
    r"|\bpass(?:ed)?\s*/\s*fail(?:ed)?\b(?!\s*[:=]\s*\d)|\bpass[- ]?through\b|\b(?:will|should|must|to|if)\s+pass\b",
    re.I,
)
_NO_FAILURES = re.compile(
    rf"(?<!expected )\b(?:no|zero|without(?: any)?)\s+{_BAD}\b|\berror[- ]free\b"
    # "0 errors", but neither "channel 0 errors: 3" nor "test 0 failed".
    rf"|\b0+\s+(?:err(?:or)?s|failures|fails|mismatches)\b(?!\s*[:=]\s*0*[1-9])"
    r"|(?:^|[^\w\s]\s*|\b(?:with|had|has|have|found|got|and|were|was|is|are|in|total|reported|detected|passed|pass)\s+)"
    rf"0+(?:{_OF}\d+)?\s+(?:{_CHECKS}\s+)?(?:(?:have|has|were)\s+)?{_BAD}\b(?!\s*[:=]\s*0*[1-9])"
    # "Errors: 0" and "FAIL=0 PASS=3", but not "Error: 0 expected 1".
    rf"|\b{_COUNTER}(?:\s+(?:count|counts|counter|found|detected|{_CHECKS}))?\s*(?:[:=]|\bis\b|\bare\b)+\s*"
    r"(?:none\b|(?:\d*'s?[bodh])?(?:0x)?0+\b(?!\.\d|\s*[x(])"
    r"(?!.*(?:\bexp|\bgot\b|\bactual|\bshould\b|!=|\bvs\b|\binstead\b))(?=\W*$|\s*[,;.)\]|/*-]|\s+(?:of|out)\b|\s+\w+\s*[:=]))"
    r"|\bpass(?:ed)?\s*/\s*fail(?:ed)?\s*[:=]\s*\d+\s*/\s*0+\b|\bpass(?:ed)?\s+\d+\W+fail(?:ed)?\s+0+(?=\W*$)",
    re.I,
)
_FAIL = re.compile(
    rf"\b{_BAD.replace('err(?:or)?s?', 'errors?')}\b|\b(?:failure|incorrect|wrong|unsuccessful(?:ly)?)\b"
    rf"|\b{_COUNTER}\s*[:=]\s*0*[1-9]|\buvm_(?:error|fatal)\b|^\W*err\b"
    r"|\bnot ok\b|\b(?:not|never|cannot|didn't|doesn't)\s+(?:\w+\s+)?(?:pass(?:ed)?|success(?:ful|fully)?)\b"
    r"|\bpass(?:ed)?\s*/\s*fail(?:ed)?\s*[:=]\s*\d+\s*/\s*0*[1-9]"
    r"|\b(?:pass(?:ed)?|success)\b[^%]*?(?<![\d.])(?:\d?\d(?:\.\d+)?)\s*%",
    re.I,
)
_PASS = re.compile(
    r"\bpass(?:es)?\b(?!\s+#?\d+\s*(?:$|\w+ing\b|start|of\b|done\b|begin))|\bpassed\b|\bsuccess(?:ful|fully)?\b|\bsucceeded\b"
    r"|\b(?:all|tests?)\b.*\bok\b\W*$|^\W*ok\b\W*(?:\d+\W.*)?$",
    re.I,
)
_NAMED_PASS = re.compile(
    # A verdict that stands apart from the name of its check: "[PASS] error is flagged", "parity error ... OK".
    r"^\W*(?:pass(?:ed)?|ok)\s*[:\]-]|(?:\.\.|[:\]\[(=-])\s*(?:pass(?:ed)?|ok)\W*$",
    re.I,
)
_REAL_FAILURE = re.compile(rf"^\W*(?:{_BAD}|wrong|incorrect)\s*[:!\]]|\bfail|\b\d*[1-9]\d*\s+{_BAD}|\bnot\b", re.I)
_NONE_PASSED = re.compile(
    rf"\b0+\s+(?:{_CHECKS}\s+)?pass(?:ed|es)?\b|\bpass(?:ed|es)?\s*[:=]\s*0+\b(?!{_OF}0*[1-9])", re.I
)
_SHARE = re.compile(
    rf"(?<!\w)(?<!\[)(?<!#)(?<!\d)(\d+){_OF}(\d+)\s+(?:{_CHECKS}\s+)?(?:(?:have|has|were)\s+)?pass(?:ed|es)?\b"
    rf"|\b(?:passed|pass(?:es)?\s*[:=])\s*[:=]?\s*(\d+){_OF}(\d+)\b",
    re.I,
)
_INDEX = re.compile(rf"\b(?:{_CHECKS}|number|no\.?)\W*$", re.I)
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
        return replace(_blamed(hit[0].splitlines()), reason=f"the log has {hit[0]!r}")
    if severity := severity_lines(log):
        blamed = replace(_blamed(severity), reason=severity[0].strip("] \t")[:_REASON_CHARS], failures=len(severity))
        return _counted(blamed, log)
    if counted := _COUNT.findall(log):
        return _from_count(log, int(counted[-1][0]), int(counted[-1][1]))
    if pass_pattern:
        passed = re.search(pass_pattern, log, re.M) is not None
        return Summary(passed=passed, reason=f"the log has {'a' if passed else 'no'} match of {pass_pattern!r}")
    return _from_words(log, self_checking)


def read_line(line: str) -> bool | None:
    """What one line of a log says: passed, failed, or neither."""
    return _verdict(_shortened(line)) if _HINT.search(line) else None


def severity_lines(log: str) -> tuple[str, ...]:
    """The lines by which a simulator reports `$error` and `$fatal`."""
    return tuple(line for line in _SEVERITY.findall(log) if _SEVERITY.search(_NO_FAILURES.sub(" ", line)))


def _counted(blamed: Summary, log: str) -> Summary:
    """A failure by `$error` or `$fatal` with the counts that the testbench gave before it, where it gave some."""
    counts = _COUNT.findall(log)
    if not counts or int(counts[-1][0]) == 0:
        return blamed
    counted = _from_count(log, int(counts[-1][0]), int(counts[-1][1]))
    return replace(counted, passed=False, reason=blamed.reason, failing=counted.failing or blamed.failing)


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
    # Most lines of a long log hold no word of a verdict; an endless line is read at both its ends.
    lines = [_shortened(line) for line in log.splitlines() if _HINT.search(line[:_LINE_CHARS] + line[-_LINE_CHARS:])]
    verdicts = [(_verdict(line), line.strip()) for line in lines]
    bad = [line for verdict, line in verdicts if verdict is False]
    good = [line for verdict, line in verdicts if verdict is True]
    if not bad and (short := _falls_short(lines)):
        bad = [short]
    if bad:
        # A closing line such as "FAILED: 3 errors" is one more line, not one more check; shares are all that is used.
        total = len(bad) + len(good)
        return replace(_blamed(bad), reason=bad[0][:_REASON_CHARS], checks=total, failures=len(bad))
    if _OWN_TIMEOUT.search(log):
        return Summary(passed=False, reason="the testbench's own time-out")
    if good:
        return Summary(passed=True, reason=good[-1][:_REASON_CHARS], checks=len(good))
    if self_checking:
        return Summary(passed=True, reason="ended with no $error, $fatal or failed assertion", checks=1)
    return Summary(passed=None, reason=NO_SUMMARY)


def _shortened(line: str) -> str:
    return line if len(line) <= 2 * _LINE_CHARS else f"{line[:_LINE_CHARS]} {line[-_LINE_CHARS:]}"


def _verdict(line: str) -> bool | None:
    """What one line says; a line that says both is a failure, unless its verdict stands apart from a check's name."""
    text = _NOISE.sub(" ", line)
    cleared = _NO_FAILURES.sub(" ", text)
    if _NAMED_PASS.search(text) and not _REAL_FAILURE.search(cleared):
        return True
    if _FAIL.search(cleared):
        return False
    if _NONE_PASSED.search(text):
        return None
    return True if cleared != text or _PASS.search(text) else None


def _falls_short(lines: list[str]) -> str:
    """The line by which the last count is no full one: "9 of 10 passed", or no test passed at all; else empty."""
    short = ""
    for line in lines:
        for match in _SHARE.finditer(line):
            passed, total = (int(group) for group in match.groups() if group is not None)
            if not _INDEX.search(line[: match.start()]):
                short = line.strip() if passed < total else ""
        if _NONE_PASSED.search(line):
            short = line.strip()
        elif short and _NONE_PASSED.search(short) and _verdict(line):
            short = ""
    return short


def _blamed(lines: Sequence[str]) -> Summary:
    """A failure by its lines' words, which the search intersects with the design's signals, and by its first time."""
    words = tuple(dict.fromkeys(word for line in lines[:_LINES_READ] for word in _WORD.findall(line)))
    first = _TIME.search(lines[0]) if lines else None
    mismatches = (Mismatch(signal="", time=first[1].strip()),) if first else ()
    return Summary(passed=False, reason="", failing=words, mismatches=mismatches)
