from __future__ import annotations

import pytest

from veriloop.assistant.bench.filling import fill_by_model, fill_by_model_alone, fill_by_statistics, gaps, measured
from veriloop.assistant.errors import UsageError
from veriloop.models.local import LocalModel

RTL = (
    "module m(input clk, input [3:0] d, output reg [3:0] q);\n  always @(posedge clk)\n    q <= d; // kept\nendmodule\n"
)


@pytest.fixture
def data(tmp_path):
    (tmp_path / "a.sv").write_text(RTL)
    (tmp_path / "same.sv").write_text(RTL)
    (tmp_path / "a_tb.sv").write_text("module tb; initial $finish(1, 2); endmodule\n")
    (tmp_path / "a_buggy1.v").write_text("module buggy; wire a = 1; endmodule\n")
    return tmp_path


def test_gaps_are_of_the_rtl_alone_and_the_same_each_time(data):
    found = gaps(data, count=3)
    assert {gap.path.name for gap in found} == {"a.sv"}
    assert found == gaps(data, count=3)
    for gap in found:
        whole = gap.hole.above + gap.hole.typed + gap.wanted + gap.hole.rest + "\n" + gap.hole.below
        assert whole == RTL.replace(" // kept", "") or whole == RTL
    with pytest.raises(UsageError, match="no RTL"):
        gaps(data / "a.sv")


def test_right_answers_score_one(data):
    found = gaps(data, count=3)
    wanted = {gap.hole: gap.wanted for gap in found}
    assert measured(found, wanted.__getitem__).exact == 1.0
    nothing = measured(found, lambda hole: "")
    assert (nothing.exact, nothing.edit_similarity, nothing.gaps) == (0.0, 0.0, 3)
    assert 0 <= measured(found, fill_by_statistics).edit_similarity <= 1


@pytest.mark.needs("llama.cpp")
def test_a_model_fills_gaps(data, model_file):
    model = LocalModel(model_file, threads=1)
    found = measured(gaps(data, count=2), fill_by_model(model))
    alone = measured(gaps(data, count=2), fill_by_model_alone(model))
    model.close()
    assert (found.gaps, alone.gaps) == (2, 2)
