"""Whether candidates judged together are judged as they would be one by one, and as Icarus judges them."""

from __future__ import annotations

from collections.abc import Sequence

from veriloop.assistant.bench.loop_designs import LoopCandidate, LoopDesign
from veriloop.assistant.bench.loop_differences import Explainer
from veriloop.assistant.bench.loop_ways import Place, by_icarus, by_verilator, changed
from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import Note, Run
from veriloop.assistant.verify.batch.chooser import Choice
from veriloop.assistant.verify.batch.judge import Batch
from veriloop.assistant.verify.batch.sameness import same_run
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.testbench import VerilogTestbench

_BATCHED = 64


class Comparison:
    """Candidates judged together, each also by a build of its own and by Icarus."""

    def __init__(self, design: LoopDesign, bench: VerilogTestbench, place: Place) -> None:
        self._design = design
        self._bench = bench
        self._place = place
        self._original = {path: design.files[path] for path in design.editable}
        self.agree = self.disagree = self.alone = 0
        self.notes: list[Note] = []

    def run(self, sample: Sequence[LoopCandidate]) -> Run[None]:
        """Judges a sample in each way and counts; what differs is noted."""
        design, place = self._design, self._place
        batch = Batch(
            self._bench,
            usual="verilator",
            original=self._original,
            root=place.root,
            scratch=place.scratch,
            toolchain=place.toolchain,
            cancel=place.cancel,
        )
        explainer = Explainer(
            self._bench,
            editable=self._original,
            root=place.root,
            scratch=place.scratch,
            toolchain=place.toolchain,
            cancel=place.cancel,
        )
        for first in range(0, len(sample), _BATCHED):
            part = sample[first : first + _BATCHED]
            together = batch.judge_by([one.contents for one in part], Choice("verilator", 1))
            for one, shared in zip(part, together, strict=True):
                try:
                    alone = changed(design, one, place, lambda: by_verilator(self._bench, place))
                except ToolFailed as error:
                    self._broken(one, shared, error)
                    continue
                four_state = changed(design, one, place, lambda: by_icarus(self._bench, place))
                self._compare(one, shared, alone, four_state)
                if four_state is not None and four_state.passed != all(run.passed for run in alone):
                    self._explain(one, alone, four_state, explainer)
            yield Note(f"{design.name}: {min(first + _BATCHED, len(sample))} of {len(sample)} compared")
        if self.alone:
            yield Note(f"{design.name}: {self.alone} of {len(sample)} candidates are such that no batch holds them")

    def _broken(self, one: LoopCandidate, shared: SimResult | None, error: ToolFailed) -> None:
        """Notes a candidate that Verilator or the C++ compiler cannot build; no batch may let it through."""
        passes = shared is not None and shared.passed
        self.disagree += passes
        said = "together it PASSES" if passes else "together it does not pass"
        self.notes.append(Note(f"{self._design.name}: {one.operator}: alone {error.message}, {said}"))

    def _compare(
        self, one: LoopCandidate, shared: SimResult | None, alone: Sequence[SimResult], four_state: SimResult | None
    ) -> None:
        if shared is None:
            # It is built alone in any case.
            self.alone += 1
            return
        like = next((run for run in alone if run.start == shared.start), alone[-1])
        # After how long a run counts as hanging is not a thing that it did.
        both_hang = shared.outcome is like.outcome is Outcome.TIMEOUT
        if (same_run(shared, like) or both_hang) and shared.passed == all(run.passed for run in alone):
            self.agree += 1
            return
        hangs = (run is not None and run.outcome is Outcome.TIMEOUT for run in (shared, four_state))
        if all(hangs) and not all(run.passed for run in alone):
            # C++ lets its compilers take it that every loop ends.
            said = f"hangs together and under Icarus; alone, without its endless loop, {like.reason!r}"
            self.notes.append(Note(f"{self._design.name}: {one.operator}: {said}"))
            return
        self.disagree += 1
        said = f"together {shared.reason!r}, alone {like.reason!r} from {like.start}"
        self.notes.append(Note(f"{self._design.name}: {one.operator}: {said}"))

    def _explain(
        self, one: LoopCandidate, alone: Sequence[SimResult], four_state: SimResult, explainer: Explainer
    ) -> None:
        found = explainer.explain(one.contents, alone, four_state)
        if not found.why or found.in_favour:
            self.disagree += 1
        verdict = "passes" if four_state.passed else "fails"
        why = found.why or "NOT EXPLAINED"
        favour = ", IN FAVOUR OF THE CANDIDATE" if found.in_favour else ""
        self.notes.append(Note(f"{self._design.name}: {one.operator}: Icarus {verdict}, Verilator not: {why}{favour}"))
