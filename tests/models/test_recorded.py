from __future__ import annotations

import pytest

from veriloop.models.errors import BadModel, ModelFailed, NoModel, Stopped
from veriloop.models.model import Message, Model, Sampling
from veriloop.models.recorded import RecordedModel


def test_answers_come_in_their_order():
    model: Model = RecordedModel({"a": ["1", "2", "3"], "b": ["4"]})
    pieces: list[tuple[int, str]] = []
    first = model.complete("a", Sampling(), n=2, on_text=lambda *said: pieces.append(said))
    assert [answer.text for answer in first] == ["1", "2"]
    assert pieces == [(0, "1"), (1, "2")]
    assert model.chat([Message(role="user", content="a")], Sampling())[0].text == "3"
    assert model.infill("b", "", Sampling())[0].text == "4"
    with pytest.raises(ModelFailed, match="0 of 1"):
        model.complete("a", Sampling())
    with pytest.raises(ModelFailed):
        model.score("a", ["b"])
    with pytest.raises(ModelFailed):
        model.score_infill("a", "b", ["c"])
    with pytest.raises(Stopped):
        model.complete("b", Sampling(), stop=lambda: True)


def test_a_transcript(tmp_path):
    path = tmp_path / "said.jsonl"
    path.write_text('{"prompt": "a", "answers": ["1"]}\n{"prompt": "a", "answers": ["2"]}\n')
    model = RecordedModel.load(path)
    assert model.info.name == "said"
    assert [answer.text for answer in model.complete("a", Sampling(), n=2)] == ["1", "2"]
    path.write_text("nothing\n")
    with pytest.raises(BadModel, match=":1"):
        RecordedModel.load(path)
    with pytest.raises(NoModel):
        RecordedModel.load(tmp_path / "none")
