"""A model is trained for seconds, written, and asked by llama.cpp what PyTorch says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from veriloop.assistant.cli.main import main
from veriloop.assistant.training.lm.texts import repair_text
from veriloop.assistant.training.row import Failure, LineEdit, Row, Spec

pytestmark = pytest.mark.needs("torch", "llama.cpp")


def rows() -> list[Row]:
    """Inverters and buffers under many names, right and broken."""
    found = []
    for number in range(24):
        name = f"gate{number}"
        right = f"module {name}(\n  input a,\n  output y\n);\n  assign y = ~a;\nendmodule\n"
        common = {"kind": "gates", "seed": number, "variant": 0, "style": {}, "split": "train", "top": name}
        spec = Spec(module=f"The output y of {name} is the complement of a.")
        found.append(Row(family="inverter", task="module", rtl=right, spec=spec, **common))  # type: ignore[arg-type]
        found.append(
            Row(
                family="inverter",
                task="repair",
                rtl=right,
                spec=spec,
                buggy=right.replace("~a", "a"),
                slip="negation",
                edits=(LineEdit(line=5, buggy=("  assign y = a;",), fixed=("  assign y = ~a;",)),),
                failure=Failure(
                    signal="y",
                    cycle=0,
                    expected=1,
                    seen="0",
                    inputs={"a": 0},
                    failing=("y",),
                    passing=(),
                    failures=4,
                    cycles=4,
                ),
                **common,  # type: ignore[arg-type]
            )
        )
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    directory = tmp_path_factory.mktemp("train")
    (directory / "rows").mkdir()
    unseen = [
        replace(row, family="other", split="family", buggy=row.buggy.replace("gate", "unit")) for row in rows()[1:17:2]
    ]
    (directory / "rows" / "a.jsonl").write_text("".join(row.to_json() + "\n" for row in (*rows(), *unseen)))
    words = ["--rows", str(directory / "rows"), "--out", str(directory / "out"), "--width", "64", "--layers", "2"]
    assert (
        main(["train", "sft", *words, "--context", "256", "--vocabulary", "700", "--minutes", "60", "--steps", "150"])
        == 0
    )
    return directory


def test_the_file_says_what_pytorch_says(trained):
    import torch

    from veriloop.assistant.training.lm import sft
    from veriloop.assistant.training.lm.tokenizer import load_tokenizer
    from veriloop.models.local import LocalModel

    tokenizer = load_tokenizer(trained / "out" / "tokenizer.json")
    shape = sft.Shape(width=64, layers=2, heads=2, inner=160, context=256)
    model = sft.trained(trained / "out", shape, tokenizer.get_vocab_size())
    model.eval()
    text = repair_text(rows()[1])
    assert text is not None
    prompt, answer = tokenizer.encode(text.prompt).ids, tokenizer.encode(text.answer).ids
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([prompt + answer])).logits[0].float()
    wanted = torch.log_softmax(logits, -1)[range(len(prompt) - 1, len(prompt) + len(answer) - 1), answer].tolist()
    for name, allowed in (("model-f32.gguf", 1e-3), ("model-q8_0.gguf", 0.5)):
        asked = LocalModel(trained / "out" / name, threads=1, exact_cache=True)
        (score,) = asked.score(text.prompt, [text.answer])
        assert score.logprobs == pytest.approx(wanted, abs=allowed)
        asked.close()


def test_it_has_learnt_something(trained):
    from veriloop.models.local import LocalModel

    text = repair_text(rows()[1])
    assert text is not None
    model = LocalModel(trained / "out" / "model-q8_0.gguf", threads=1)
    wrong = [text.answer.replace("~a", "a"), text.answer.replace("<|4|>", "<|2|>"), text.answer.replace("~a", "y")]
    right, *others = model.score(text.prompt, [text.answer, *wrong])
    assert all(right.total > other.total for other in others)
    model.close()


def test_it_goes_on_from_its_checkpoint(trained, capsys):
    words = ["--rows", str(trained / "rows"), "--out", str(trained / "out"), "--width", "64", "--layers", "2"]
    from veriloop.assistant.training.lm.sft import progress_of

    before = progress_of(trained / "out")
    capsys.readouterr()
    assert main(["train", "sft", *words, "--context", "256", "--steps", str(before["steps"] + 2), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["rows"] == 56
    assert said["held_out"]["asked"] == 8
    assert 0 <= said["held_out"]["first"] <= said["held_out"]["first_five"] <= 1
    assert progress_of(trained / "out")["steps"] == before["steps"] + 2
    assert main(["train", "sft", *words[:-1], "3", "--context", "256", "--minutes", "1"]) == 2
    assert "another shape" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--width", "50"], "multiple of 32"),
        (["--minutes", "0"], "above 0"),
        (["--families", "-1"], "not be below 0"),
        ([], "holds no rows"),
    ],
)
def test_bad_input(words, said, tmp_path, capsys):
    assert main(["train", "sft", "--rows", str(tmp_path), "--out", str(tmp_path / "out"), *words]) == 2
    assert said in capsys.readouterr().err


def test_it_is_exported_compared_and_registered(trained, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    capsys.readouterr()
    words = ["train", "export", str(trained / "out")]
    assert main([*words, "--out", str(tmp_path / "made"), "--name", "a", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["pytorch_top1_agreement"] > 0.98
    assert made["quant_top1_agreement"] > 0.98
    assert {path.name for path in (tmp_path / "made").iterdir()} == {"a.gguf", "model.json", "CARD.md"}
    assert "veriloop train sft" in (tmp_path / "made" / "CARD.md").read_text()
    assert main([*words, "--exact", "--name", "b"]) == 0
    capsys.readouterr()
    assert main(["models", "show", "b", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["licence"] == "Apache-2.0"
    assert main(["train", "export", str(tmp_path)]) == 2
    assert "no trained model" in capsys.readouterr().err


def test_a_graphics_processor_that_is_not_there(tmp_path, capsys, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    words = ["train", "sft", "--rows", str(tmp_path), "--out", str(tmp_path / "out"), "--device", "cuda"]
    assert main(words) == 2
    assert "--device cpu" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
