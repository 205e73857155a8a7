"""An adapter for a small random Llama in Hugging Face's form: trained, gone on with, merged and run by llama.cpp."""

from __future__ import annotations

import json

import pytest

from tests.assistant.training.lm.test_sft import rows
from veriloop.assistant.cli.main import main

pytestmark = pytest.mark.needs("torch", "llama.cpp")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from veriloop.assistant.training.lm.tokenizer import train_tokenizer

    directory = tmp_path_factory.mktemp("base")
    words = train_tokenizer([row.rtl for row in rows()], size=560)
    words.save(str(directory / "tokenizer.json"))
    data = json.loads((directory / "tokenizer.json").read_text())
    # A base knows nothing of our special tokens.
    data["added_tokens"] = []
    known = [word for word in data["model"]["vocab"] if not word.startswith("<|")]
    data["model"]["vocab"] = {word: number for number, word in enumerate(known)}
    size = len(known)
    (directory / "tokenizer.json").write_text(json.dumps(data))
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=512,
        tie_word_embeddings=False,
        eos_token_id=None,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(directory)
    return directory


def test_an_adapter_is_trained_and_merged(base, tmp_path, capsys):
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "a.jsonl").write_text("".join(row.to_json() + "\n" for row in rows()))
    words = ["train", "sft", "--base", str(base), "--rows", str(tmp_path / "rows"), "--out", str(tmp_path / "out")]
    words += ["--context", "512", "--rank", "4", "--name", "adapted"]
    assert main([*words, "--steps", "3"]) == 0
    assert (tmp_path / "out" / "adapter_model.safetensors").stat().st_size < 1_000_000
    assert main([*words, "--steps", "5"]) == 0
    assert "parameters learn" in capsys.readouterr().err
    made = ["train", "export", str(tmp_path / "out"), "--out", str(tmp_path / "made"), "--exact", "--json"]
    assert main(made) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["pytorch_top1_agreement"] > 0.98
    assert facts["has_fim"]
    assert (
        main(["train", "sft", "--base", str(tmp_path), "--rows", str(tmp_path / "rows"), "--out", str(tmp_path / "x")])
        == 2
    )
    assert "Hugging Face" in capsys.readouterr().err
