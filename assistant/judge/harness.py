"""Where nothing was tested: files that do not compile, runs that do not end, compare nothing or drive nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.judge.dispute import Subject
from veriloop.assistant.judge.places import diagnostic_lines
from veriloop.assistant.judge.reading import Reading
from veriloop.assistant.judge.trials import Trials
from veriloop.assistant.judge.verdict import Cited, Side
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.summary import NO_SUMMARY

_NOTHING = ("no sample was compared", "no test ran", NO_SUMMARY)
_PORT = re.compile(r"\bport\b|\bpin\b|\bPINNOTFOUND\b", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Why nothing was tested, and whose fault that is."""

    side: Side
    confidence: float
    why: str
    evidence: tuple[Cited, ...] = ()


def not_compiled(subject: Subject, refused: Sequence[SimResult], reading: Reading) -> Broken:
    """Whose fault it is that no simulator takes the files."""
    if subject.errors:
        first = subject.errors[0]
        why = f"the design itself does not compile: {first.message}"
        return Broken(
            side=Side.RTL, confidence=0.97, why=why, evidence=tuple(diagnostic_lines(subject, subject.errors))
        )
    errors = _errors(subject, refused)
    missing = subject.whole.missing_modules if subject.whole is not None else ()
    evidence = tuple(diagnostic_lines(subject, errors))
    message = errors[0].message.replace(f"{subject.dispute.root}/", "") if errors else "the files do not compile"
    if reading.ports and _about_ports(errors):
        return Broken(side=Side.RTL, confidence=0.9, why=f"{reading.ports[0]}: {message}", evidence=evidence)
    if missing:
        message = f"{', '.join(missing)} is defined nowhere"
        stated = reading.interface.toplevel if reading.interface is not None else ""
        if stated in missing:
            return Broken(side=Side.RTL, confidence=0.8, why=message, evidence=evidence)
    if _about_ports(errors) and not reading.interface:
        why = f"the test and the design do not agree on the ports, and nothing says who is right: {message}"
        return Broken(side=Side.UNKNOWN, confidence=0.5, why=why, evidence=evidence)
    sure = 0.97 if errors and all(_outside(subject, one) for one in errors) else 0.85
    why = f"the test does not compile, and the design alone does: {message}"
    return Broken(side=Side.HARNESS, confidence=sure, why=why, evidence=evidence)


def _errors(subject: Subject, refused: Sequence[SimResult]) -> list[Diagnostic]:
    """slang's errors first, which name what is missing; then the simulators'."""
    whole = subject.whole
    found = list(whole.errors) if whole is not None else []
    if whole is not None and whole.missing_modules:
        found += [one for one in whole.diagnostics if any(name in one.message for name in whole.missing_modules)]
    found += [one for run in refused for one in run.diagnostics if one.severity == "error"]
    return sorted(found, key=lambda one: not _outside(subject, one))


def _outside(subject: Subject, one: Diagnostic) -> bool:
    """Whether a place lies in the test's files, not in the design's."""
    return Path(one.path).name != subject.dispute.rtl.name


def _about_ports(errors: Sequence[Diagnostic]) -> bool:
    return bool(errors) and bool(_PORT.search(errors[0].message))


def silent(red: SimResult) -> str:
    """Why a run that ended says nothing about the design; empty where it says something."""
    if not red.reason.startswith(_NOTHING):
        return ""
    said = red.reason.partition(" (COCOTB")[0]
    return f"{said}; where it does in words of its own, name them by --pass-pattern" if said == NO_SUMMARY else said


def hangs(subject: Subject, trials: Trials, others: Sequence[bytes]) -> Broken:
    """Whose fault it is that a run does not end: the test's, if it does not end with any design.

    Args:
        subject: the design.
        trials: runs the test.
        others: texts that do what the specification says, as far as anybody knows.
    """
    tried = 0
    for text in (*others, *filter(None, (_idle(subject),))):
        run = trials.of(text)
        if run.outcome is Outcome.COMPILE_ERROR:
            continue
        tried += 1
        if run.outcome is Outcome.FAIL and text in others:
            why = "the run never ends with this design, and fails the one that follows from the specification"
            return Broken(side=Side.BOTH, confidence=0.85, why=why)
        if run.outcome is not Outcome.TIMEOUT:
            sure = 0.9 if text in others else 0.75
            what = "one that follows from the specification" if text in others else "one that does nothing"
            why = f"the run ends with another design ({what}), and never with this one"
            return Broken(side=Side.RTL, confidence=sure, why=why)
    if not tried:
        return Broken(side=Side.UNKNOWN, confidence=0.5, why="the run does not end, and no other design could be tried")
    sure = 0.95 if others else 0.8
    return Broken(side=Side.HARNESS, confidence=sure, why="the run does not end, whatever design stands in its place")


def _idle(subject: Subject) -> bytes | None:
    """A module with the design's ports that gives 0 for ever."""
    interface = subject.interface
    if interface is None:
        return None
    lines = "".join(f"  assign {port.name} = 0;\n" for port in interface.outputs)
    return f"{interface.header()}\n{lines}endmodule\n".encode()
