"""Where the test and the design stand to a specification that can be run."""

from __future__ import annotations

from dataclasses import dataclass

from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.answers import Rtl, read_rtl
from veriloop.assistant.judge.ballot import Ballot
from veriloop.assistant.judge.dispute import Subject
from veriloop.assistant.judge.reading import Reading, play_rows
from veriloop.assistant.judge.trials import Trials, counts, signature
from veriloop.assistant.judge.verdict import Side
from veriloop.assistant.verify.differential import compare
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.toolchain import Toolchain

_SURE, _FAIRLY = 0.97, 0.9
_CYCLES = 2048
_ENOUGH, _MOST = 5, 0.6
"""So many answers, and such a share of them, weigh more than one reading of a specification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a runnable specification says; `UNKNOWN` where there is none.

    Attributes:
        side: who departs from it.
        confidence: how sure.
        why: in a sentence.
        findings: what was run.
        settled: whether votes could not change it.
    """

    side: Side = Side.UNKNOWN
    confidence: float = 0.0
    why: str = ""
    findings: tuple[str, ...] = ()
    settled: bool = False

    def with_ballot(self, ballot: Ballot) -> tuple[Side, float, str]:
        """The same, heard together with votes: a reading that the test and most readers refute is not believed."""
        if ballot.total >= _ENOUGH and ballot.passing >= _MOST * ballot.total:
            return Side.RTL, 0.75, f"{self.why}; but {ballot}"
        heard = f"{self.why}; {ballot}" if ballot.total else self.why
        return self.side, self.confidence if ballot.same < _MOST * max(ballot.total, 1) else 0.75, heard


def stand(
    subject: Subject, trials: Trials, reading: Reading, red: SimResult, toolchain: Toolchain, cancel: CancelToken
) -> Standing:
    """Runs the test on what follows from the specification, and the specification's rows on the design."""
    if not reading.text or reading.ports:
        return Standing(findings=reading.ports)
    run = trials.of(reading.text)
    if run.outcome is Outcome.COMPILE_ERROR:
        return Standing()
    played = play_rows(reading, subject, toolchain, cancel)
    what = f"what follows from the specification's {reading.kind}"
    findings = [f"the test {'passes' if run.passed else 'fails'} {what}" + ("" if run.passed else f": {run.reason}")]
    if played is not None:
        ok = f"the design agrees with all {played.checks} rows of it" if not played.failures else played.said
        findings.append(ok or f"the design fails {played.failures} of {played.checks} rows of it")
    agrees = None if played is None else not played.failures
    certain = played is not None and played.certain
    meets = _meets(subject, reading, red, run, agrees, toolchain, cancel, certain=certain)
    said = f"; {played.said}" if played is not None and played.said else ""
    if run.passed:
        why = f"the test passes {what}, and fails the design{said}"
        sure = _SURE if meets is not True else _FAIRLY
        return Standing(side=Side.RTL, confidence=sure, why=why, findings=tuple(findings), settled=True)
    if meets:
        why = f"the test fails {what}, and the design does what that does"
        return Standing(side=Side.TESTBENCH, confidence=_SURE, why=why, findings=tuple(findings), settled=True)
    if meets is None:
        return Standing(findings=tuple(findings))
    why = f"the test fails {what}, and the design does something else{said}"
    return Standing(side=Side.BOTH, confidence=_FAIRLY, why=why, findings=tuple(findings))


def _meets(
    subject: Subject,
    reading: Reading,
    red: SimResult,
    run: SimResult,
    played: bool | None,
    toolchain: Toolchain,
    cancel: CancelToken,
    *,
    certain: bool,
) -> bool | None:
    """Whether the design does what the specification says; none where that cannot be told."""
    interface = reading.interface
    assert interface is not None
    # Without a clock a row that fails is a fact; a count of mismatches is alike by chance now and then.
    if certain and interface.clock is None:
        return False
    # Two designs that fail everywhere need not be alike.
    if counts(red) and red.failures < red.checks and signature(red) == signature(run):
        return True
    if played is False:
        return False
    whole = interface.clock is None and sum(port.width_bits for port in interface.inputs) <= 10
    if played and whole:
        return True
    mine, theirs = read_rtl(subject.content, interface), read_rtl(reading.text, interface)
    if not isinstance(mine, Rtl) or not isinstance(theirs, Rtl):
        return played
    found = compare(
        [{"design.sv": theirs.examined}, {"design.sv": mine.examined}],
        subject.design,
        root=subject.dispute.root,
        scratch=subject.dispute.scratch,
        toolchain=toolchain,
        cancel=cancel,
        cycles=_CYCLES,
        reference=True,
    )
    if found is None:
        return played
    return not found.differs
