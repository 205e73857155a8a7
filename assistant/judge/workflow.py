"""Judges a failing test: first what can be seen without an opinion, then what the specification says, then votes.

Each step may decide, and the first that does ends the work; what cannot be told is said to be so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from veriloop.assistant.design.dataflow import Dataflow
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.judge.ballot import Ballot, poll, usable
from veriloop.assistant.judge.dispute import Dispute, Subject
from veriloop.assistant.judge.harness import Broken, hangs, not_compiled, silent
from veriloop.assistant.judge.looking import looked_at
from veriloop.assistant.judge.next_step import next_step
from veriloop.assistant.judge.opinion import Opinion, ask
from veriloop.assistant.judge.places import driver_lines, expectation_lines, failing_signals, spec_lines
from veriloop.assistant.judge.reading import PlayedRows, Reading, play_rows, read_specification
from veriloop.assistant.judge.scenarios import scenarios
from veriloop.assistant.judge.standing import Standing, stand
from veriloop.assistant.judge.strength import strength
from veriloop.assistant.judge.trials import Trials
from veriloop.assistant.judge.verdict import Cited, Side, Verdict
from veriloop.assistant.judge.watching import Watched, moment, standing_still, table, undriven, watch
from veriloop.assistant.judge.weighing import DECIDED, weigh
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.models.model import Model

_MOST_EVIDENCE = 8
_OPINION_SHARE = 0.6
"""What a model's opinion alone is worth: less than what is needed to name a side."""


@dataclass(slots=True)
class _Case:
    """What is known so far."""

    subject: Subject
    trials: Trials
    reading: Reading
    toolchain: Toolchain
    cancel: CancelToken
    red: SimResult
    signals: tuple[str, ...] = ()
    findings: list[str] = field(default_factory=list)
    window: str = ""
    watched: Watched | None = None


def judge(dispute: Dispute, *, toolchain: Toolchain, cancel: CancelToken, model: Model | None = None) -> Run[Verdict]:
    """Says who is wrong.

    Args:
        dispute: the test and the design, in a private copy.
        toolchain: the simulators.
        cancel: stops it.
        model: is asked last, where nothing else decides, and cannot decide alone; none: nobody is.

    Raises:
        UsageError: the test does not use the design.
        ToolError: a tool broke or is missing, or no test could be collected.
    """
    yield Stage("the failing run")
    subject = Subject(dispute)
    _require_used(subject)
    trials = Trials(subject, toolchain, cancel)
    reading = read_specification(subject)
    red = trials.red
    if red is None:
        return _passing(subject, trials, reading, toolchain, cancel)
    case = _Case(subject, trials, reading, toolchain, cancel, red, failing_signals(subject, red))
    case.findings.append(f"{red.engine or 'the test'}: {red.reason.replace(f'{dispute.root}/', '')}")
    broken = _broken(case)
    if broken is not None:
        return _verdict(case, broken.side, broken.confidence, broken.why, broken.evidence)
    yield Stage("what the record shows")
    broken = _recorded(case)
    if broken is not None:
        return _verdict(case, broken.side, broken.confidence, broken.why, broken.evidence)
    yield Stage("the specification")
    standing = stand(subject, trials, reading, red, toolchain, cancel)
    case.findings += standing.findings
    if standing.side is not Side.UNKNOWN and standing.settled:
        return _verdict(case, standing.side, standing.confidence, standing.why)
    interface = reading.interface or subject.interface
    answers = usable(dispute.answers, interface) if interface is not None else Counter()
    ballot = Ballot()
    if answers:
        yield Stage("independent answers")
        ballot = poll(answers, subject, trials, red, toolchain, cancel)
        yield Note(str(ballot))
        case.findings.append(str(ballot))
    return (yield from _weighed(case, standing, ballot, answers, model))


def _require_used(subject: Subject) -> None:
    """A test that does not use the design says nothing about it, whatever it says."""
    whole = subject.whole
    if not subject.structures:
        raise UsageError(f"{subject.dispute.rtl} declares no module", hint="veriloop judge RTL.sv --testbench TB.sv")
    if whole is None or whole.errors or whole.missing_modules or subject.instance:
        return
    names = ", ".join(subject.structures)
    raise UsageError(f"the test does not use {names} of {subject.dispute.rtl}", hint="name the design that it tests")


def _broken(case: _Case) -> Broken | None:
    """What the run itself tells: it did not come about, did not end, or compared nothing."""
    refused = case.trials.refused
    if refused:
        return not_compiled(case.subject, refused, case.reading)
    if case.red.outcome is Outcome.TIMEOUT:
        others = [case.reading.text] if case.reading.text else []
        found = hangs(case.subject, case.trials, others)
        return replace(found, evidence=tuple(expectation_lines(case.subject, case.red, ())))
    said = silent(case.red)
    if said:
        lines = tuple(expectation_lines(case.subject, case.red, case.signals))
        return Broken(side=Side.HARNESS, confidence=0.92, why=f"the run tested nothing: {said}", evidence=lines)
    return None


def _recorded(case: _Case) -> Broken | None:
    """What the record of the run shows: inputs that nothing drives; and the window for whoever reads the verdict."""
    watched = watch(case.subject, case.toolchain, case.cancel)
    if watched is None:
        return None
    case.watched = watched
    _tell(case, watched)
    lines = tuple(one for one in expectation_lines(case.subject, case.red, ()) if "holds" in one.says)
    open_ = _mattering(case, undriven(case.subject, watched))
    if open_:
        why = f"the test never drives {', '.join(open_)} of {case.subject.module}"
        return Broken(side=Side.HARNESS, confidence=0.95, why=why, evidence=lines)
    still = _mattering(case, standing_still(case.subject, watched))
    if still:
        why = f"the test's clock {still[0]} never moves"
        return Broken(side=Side.HARNESS, confidence=0.95, why=why, evidence=lines)
    return None


def _mattering(case: _Case, inputs: Sequence[str]) -> list[str]:
    """Those inputs that the failing outputs depend on; all of them where that is not known."""
    subject = case.subject
    if not inputs or subject.alone.errors or subject.module not in subject.alone.modules:
        return list(inputs)
    cone = Dataflow.of(subject.alone).cone(case.signals, module=subject.module)
    return [name for name in inputs if name in cone]


def _tell(case: _Case, watched: Watched) -> None:
    first = moment(case.subject, watched, case.red, case.signals)
    if first is None:
        return
    case.signals = (first.signal, *(name for name in case.signals if name != first.signal))
    case.findings.append(str(first))
    case.window = table(case.subject, watched, first.at_fs)


def _weighed(
    case: _Case, standing: Standing, ballot: Ballot, answers: Counter[bytes], model: Model | None
) -> Run[Verdict]:
    """What the votes and the specification come to together; a model is asked where that decides nothing."""
    if standing.side is not Side.UNKNOWN:
        side, confidence, why = standing.with_ballot(ballot)
        if side is not Side.UNKNOWN:
            return _verdict(case, side, confidence, why)
        return _verdict(case, Side.UNKNOWN, confidence, why)
    case.findings += looked_at(case.subject, case.signals, case.toolchain, case.cancel)
    weighed = weigh(ballot)
    if weighed.side is not Side.UNKNOWN:
        return replace(_verdict(case, weighed.side, weighed.confidence, str(ballot)), shares=weighed.shares)
    # Where a task is hard, most answers are wrong everywhere: some answer has to be right as a whole to be heard here.
    if case.watched is not None and max(ballot.passing, ballot.same):
        yield Stage("scenario by scenario")
        found = scenarios(answers, case.subject, case.trials, case.watched)
        case.findings.append(str(found))
        whole = {Side.RTL: ballot.passing, Side.TESTBENCH: ballot.same}.get(found.side, 0)
        if whole and whole == max(ballot.passing, ballot.same):
            return _verdict(case, found.side, 0.75, f"{found}; {ballot}")
    if case.reading.questions and not ballot.total:
        question = case.reading.questions[0]
        said = _verdict(case, Side.SPEC, 0.8, f"the specification contradicts itself: {question}")
        return replace(said, question=question)
    drivers = list(driver_lines(case.subject, case.signals))
    if any(one.says.endswith("is driven by nothing") for one in drivers):
        return _verdict(case, Side.RTL, 0.85, next(one.says for one in drivers if "driven by nothing" in one.says))
    if ballot.total and min(ballot.passing, ballot.same) >= 0.2 * ballot.total:
        return _open(case, ballot)
    why = "nothing that could be run decides it" if not ballot.total else f"the answers do not decide it: {ballot}"
    opinion = Opinion(Side.UNKNOWN, 0.0, "", ())
    if model is not None:
        yield Stage("a model's opinion")
        opinion = ask(model, case.subject, case.reading, _evidence(case), case.findings, case.window, case.cancel)
    shares = dict(weighed.shares) if ballot.total else {}
    if opinion.side is not Side.UNKNOWN:
        case.findings.append(f"{opinion.model}, which nobody has checked: {opinion.side.value}, {opinion.says}")
        together = _OPINION_SHARE * opinion.share + shares.get(opinion.side.value, 0.0)
        if together >= DECIDED:
            leaning = f"{why}; a model's answers lean the same way"
            return replace(_verdict(case, opinion.side, min(together, 0.9), leaning), shares=shares)
    return replace(_verdict(case, Side.UNKNOWN, weighed.confidence if ballot.total else 0.0, why), shares=shares)


def _open(case: _Case, ballot: Ballot) -> Verdict:
    """Answers stand on both sides: the specification is read in two ways."""
    first = next((one for one in case.findings if one.startswith("at ")), "")
    signal = case.signals[0] if case.signals else "the output"
    question = f"what has {signal} to be there? {first}" if first else f"what has {signal} to be where the test fails?"
    why = f"independent readers of the specification stand on both sides: {ballot}"
    return replace(_verdict(case, Side.SPEC, 0.6, why), question=question)


def _passing(subject: Subject, trials: Trials, reading: Reading, toolchain: Toolchain, cancel: CancelToken) -> Verdict:
    """A test that passes: nothing to judge, unless the specification refutes what it passes."""
    played = play_rows(reading, subject, toolchain, cancel)
    if played is not None and played.failures:
        why = f"the test passes, and the specification refutes the design: {played.said}"
        outputs = [port.name for port in subject.interface.outputs] if subject.interface is not None else []
        lines = (*driver_lines(subject, outputs), *spec_lines(subject, outputs, reading.kind))
        evidence = tuple(one for one in lines if one.text and one.exists(subject.dispute.root))
        step = next_step(Side.BOTH, subject.dispute, evidence)
        return Verdict(
            side=Side.BOTH,
            confidence=0.9,
            why=why,
            evidence=evidence,
            findings=(_rows(played),),
            next_step=step,
            module=subject.module,
        )
    findings = (_rows(played) if played is not None else "", strength(subject, trials))
    why = "the test passes: there is nothing to judge"
    said = tuple(filter(None, findings))
    return Verdict(side=Side.UNKNOWN, confidence=0.0, why=why, findings=said, module=subject.module)


def _rows(played: PlayedRows) -> str:
    return f"of {played.checks} rows that follow from the specification the design fails {played.failures}"


def _evidence(case: _Case) -> list[Cited]:
    return [
        *driver_lines(case.subject, case.signals),
        *expectation_lines(case.subject, case.red, case.signals),
        *spec_lines(case.subject, case.signals, case.reading.kind),
    ]


def _verdict(case: _Case, side: Side, confidence: float, why: str, first: Sequence[Cited] = ()) -> Verdict:
    """The verdict with its lines, those of the side that is named before the others."""
    mine = {path.as_posix() for path in case.subject.dispute.bench}
    more = _evidence(case)
    if side in (Side.TESTBENCH, Side.HARNESS):
        more = sorted(more, key=lambda one: one.path not in mine)
    found: dict[tuple[str, int], Cited] = {}
    for one in (*first, *more):
        if one.exists(case.subject.dispute.root) and one.text:
            found.setdefault((one.path, one.line), one)
    evidence = tuple(found.values())[:_MOST_EVIDENCE]
    return Verdict(
        side=side,
        confidence=round(confidence, 2),
        why=why,
        evidence=evidence,
        findings=tuple(case.findings),
        next_step=next_step(side, case.subject.dispute, evidence),
        failure=case.red.reason.replace(f"{case.subject.dispute.root}/", ""),
        module=case.subject.module,
        signal=case.signals[0] if case.signals else "",
        window=case.window,
    )
