"""A model's advice to a search: asked late, in a thread, of anything that says how likely lines are."""

from __future__ import annotations

import time

import pytest

from tests.assistant.repair.conftest import COUNTER, COUNTER_TB
from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken, Note, finish
from veriloop.assistant.repair.advice import Adviser, advise, knows_prompts
from veriloop.assistant.repair.model_rank import changed
from veriloop.assistant.repair.workflow import Request, Status, repair
from veriloop.assistant.verify.results import Mismatch, Outcome, SimResult
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.models.bundled import bundled
from veriloop.models.errors import ModelFailed, Stopped
from veriloop.models.local import LocalModel
from veriloop.models.model import Completion, ModelInfo, Score

BROKEN = COUNTER.replace(b"q + 1", b"q + 2")
SEEN = SimResult(
    outcome=Outcome.FAIL,
    engine="icarus",
    failing=("q",),
    mismatches=(Mismatch(signal="q", time="30", expected="1", got="2"),),
)


class Oracle:
    """Suspects the line that it is told to, and writes what it is told to."""

    def __init__(self, line: int = 0, says: str = "", error: Exception | None = None, waits: bool = False) -> None:
        self.line, self.says, self.error, self.waits = line, says, error, waits
        self.prompts: list[str] = []
        self.closed = False
        self.info = ModelInfo(name="oracle", context_tokens=4096)

    def count(self, text: str) -> int:
        return len(text) // 2

    def score(self, prompt, continuations, *, stop):
        if self.error is not None:
            raise self.error
        while self.waits:
            if stop():
                raise Stopped
            time.sleep(0.01)
        self.prompts.append(prompt)
        return tuple(Score(logprobs=(-0.1 if number == self.line else -6.0,)) for number in range(len(continuations)))

    def complete(self, prompt, sampling, *, n, stop):
        self.prompts.append(prompt)
        return tuple(Completion(text=self.says, tokens=4, finish="stop") for _ in range(n))

    def close(self) -> None:
        self.closed = True


def line_of(text: bytes) -> int:
    return BROKEN[: BROKEN.index(text)].count(b"\n")


def test_the_line_that_is_suspected_comes_sooner_and_its_edit_is_tried():
    line = line_of(b"q + 2")
    says = BROKEN.split(b"\n")[line].decode().replace("q + 2", "q + 1")
    oracle = Oracle(line, says)
    at = BROKEN.index(b"q + 2")
    advice = advise(oracle, "a.v", BROKEN, [((at, at + 5, "q + 1"),)], SEEN)  # type: ignore[arg-type]
    assert "signal q expected 1 seen 2 failing q" in oracle.prompts[0]
    assert advice.gain(BROKEN, [(at, at + 1, "")]) > 0 > advice.gain(BROKEN, [(0, 1, "")])
    starts = {edit[0][2] for edit in advice.edits}
    assert says in starts


@pytest.mark.needs("llama.cpp")
def test_only_a_model_that_knows_our_prompts_is_asked(model_file):
    ours = bundled()
    assert ours is not None
    for path, knows in ((ours.path, True), (model_file, False)):
        model = LocalModel(path, threads=1)
        assert knows_prompts(model) is knows
        model.close()
    assert not knows_prompts(Oracle())  # type: ignore[arg-type]


@pytest.mark.parametrize(("more", "saw"), [(0, "a.v as a whole"), (400, "; the rest did not fit")])
def test_what_the_model_was_shown_is_said(more, saw):
    content = BROKEN + b"// something else\n" * more
    advice = advise(Oracle(), "a.v", content, [], SEEN)  # type: ignore[arg-type]  # it has what is asked of it
    assert advice.saw.endswith(saw)
    assert advice.saw.startswith("lines 1 to ") is bool(more)
    assert advice.tokens_per_s > 0
    assert "signal q" in advice.prompt
    assert ("something else" in advice.prompt) is bool(more)


def test_an_edit_of_a_line():
    content = b"one\ntwo\nthree"
    assert changed(content, 1, "2") == ((4, 7, "2"),)
    assert changed(content, 2, "") == ((8, 13, ""),)
    assert changed(content, 0, "  one ") is None


@pytest.mark.parametrize("says", [True, False])
@pytest.mark.needs("verilator", "c++", "iverilog", "git")
def test_a_search_is_advised(says, clone, repository, toolchain):
    clone.commit({"rtl/counter.v": BROKEN, "tb/counter_tb.v": COUNTER_TB})
    line = line_of(b"q + 2")
    text = BROKEN.split(b"\n")[line].decode().replace("q + 2", "q + 1") if says else ""
    adviser = Adviser(Oracle(line, text), patience=0, patience_s=0.0)  # type: ignore[arg-type]
    result, _ = repaired(repository, toolchain, adviser)
    assert result.status is Status.REPAIRED
    assert adviser.asked
    assert not adviser.trouble


@pytest.mark.needs("verilator", "c++", "iverilog", "git")
@pytest.mark.parametrize("oracle", [Oracle(error=ModelFailed("it broke")), Oracle(waits=True)])
def test_a_model_that_breaks_or_never_answers_costs_the_advice_alone(oracle, clone, repository, toolchain):
    clone.commit({"rtl/counter.v": BROKEN, "tb/counter_tb.v": COUNTER_TB})
    result, notes = repaired(repository, toolchain, Adviser(oracle, patience=0, patience_s=0.0))
    assert result.status is Status.REPAIRED
    assert not result.advised
    assert oracle.closed
    assert any("no advice of a model" in note for note in notes)


def repaired(repository, toolchain, adviser):
    bench = VerilogTestbench(
        name="counter", design=Design(toplevel="counter_tb", sources=paths("rtl/counter.v", "tb/counter_tb.v"))
    )
    notes: list[str] = []
    request = Request(testbench=bench, editable=("rtl/counter.v",), budget_s=60)
    run = repair(repository, toolchain, request, cancel=CancelToken(), adviser=adviser)
    result = finish(run, lambda event: notes.append(event.text) if isinstance(event, Note) else None)
    return result, notes


def paths(*names):
    from pathlib import Path

    return tuple(map(Path, names))
