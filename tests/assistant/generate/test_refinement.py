"""Turns of correction: the best is carried, whatever a turn brings."""

from __future__ import annotations

import pytest

from tests.assistant.generate.test_selection import CLEARS, COUNTS, HOLDS, PORTS_OF_COUNT, RUNS
from veriloop.assistant.events import CancelToken, Event, Note, finish
from veriloop.assistant.generate.divergence import window
from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.prompts import correction_messages
from veriloop.assistant.generate.questions import Decided
from veriloop.assistant.generate.refinement import refine
from veriloop.assistant.generate.selection import select
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.models.recorded import RecordedModel

pytestmark = [pytest.mark.needs("verilator", "c++", "iverilog")]


@pytest.mark.parametrize(
    ("corrections", "text", "said"),
    [
        # The first correction is worse than the best, so the second is asked for from the best again, not from it.
        ((CLEARS, HOLDS), HOLDS, ["turn 1: not better", "turn 2: more answers agree"]),
        ((CLEARS, CLEARS), RUNS, ["turn 1: not better", "turn 2: not better"]),
        ((RUNS, RUNS), RUNS, ["turn 1: no new answer"]),
    ],
)
def test_a_correction_replaces_the_best_only_if_more_independent_answers_agree_with_it(
    corrections, text, said, tmp_path
):
    interface = read_interface("", header=PORTS_OF_COUNT)
    assert interface is not None
    toolchain, cancel = Toolchain.find(cache=cache_home(), cancel=CancelToken()), CancelToken()
    answers, references = [RUNS, RUNS], [COUNTS]
    best = finish(
        select(answers, interface, references=references, scratch=tmp_path, toolchain=toolchain, cancel=cancel)
    )
    assert best is not None
    assert best.text == RUNS
    assert best.divergence is not None
    shown = window(best.divergence, interface, ("yours", "others"))
    prompt = correction_messages("", interface, RUNS.decode(), shown)[-1].content
    model = RecordedModel({prompt: [f"```verilog\n{one.decode()}```" for one in corrections]})
    events: list[Event] = []
    found = finish(
        refine(
            best,
            model,
            "",
            interface,
            answers=answers,
            references=references,
            decided=Decided(),
            turns=2,
            count=1,
            scratch=tmp_path,
            toolchain=toolchain,
            cancel=cancel,
        ),
        events.append,
    )
    assert found.text == text
    notes = [event.text for event in events if isinstance(event, Note) and event.text.startswith("turn")]
    assert [note[: len(one)] for note, one in zip(notes, said, strict=True)] == said
