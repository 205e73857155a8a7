"""Training on top of a model in Hugging Face's form: a low-rank adapter (Hu et al., LoRA, 2021) by peft."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import AddedToken, Tokenizer
from transformers import AutoModelForCausalLM

from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, Run
from veriloop.assistant.repair.prompt import special_tokens
from veriloop.assistant.training.lm.dataset import Dataset
from veriloop.assistant.training.lm.run import TOKENIZER
from veriloop.assistant.training.lm.sft import Optimizers, Schedule, learn

MATRICES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_EMBEDDING = "embed_tokens"


def train_adapter(
    rows: Dataset,
    base: Path,
    schedule: Schedule,
    out: Path,
    *,
    rank: int,
    context: int,
    cancel: CancelToken,
) -> Run[None]:
    """Trains an adapter, and the embeddings of our special tokens, which the base does not know.

    Args:
        rows: what to learn from, as for `learn`.
        base: a directory with a model in Hugging Face's form and its `tokenizer.json`.
        schedule: time and rates.
        out: where checkpoint, tokenizer and adapter go; `veriloop train export` merges them.
        rank: of the adapter.
        context: tokens that a text may have.
        cancel: ends it after the present step.

    Raises:
        UsageError: the directory holds no such model.
    """
    torch.manual_seed(schedule.seed)
    model, tokenizer = widened(base)
    tokenizer.save(str(out / TOKENIZER))
    fresh = [tokenizer.token_to_id(token) for token in special_tokens()]
    settings = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        target_modules=list(MATRICES),
        trainable_token_indices={_EMBEDDING: fresh},
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # peft asks transformers by a name that is to go.
        warnings.simplefilter("ignore", FutureWarning)
        adapted: Any = get_peft_model(model, settings)
    learning = [value for value in adapted.parameters() if value.requires_grad]
    adamw = torch.optim.AdamW(learning, lr=schedule.rate, weight_decay=0.0)
    optimizers = Optimizers(((adamw, schedule.rate),))
    adapted.to(schedule.device)
    yield from learn(adapted, optimizers, rows, out / TOKENIZER, context, schedule, out, cancel=cancel)
    adapted.peft_config["default"].base_model_name_or_path = str(base.resolve())
    adapted.save_pretrained(str(out), save_embedding_layers=False)


def widened(base: Path, tokenizer: Path | None = None) -> tuple[Any, Tokenizer]:
    """A base model whose vocabulary holds our special tokens, and its tokenizer.

    Args:
        base: the directory of the model.
        tokenizer: of a run that has widened it already; none: the base's own, and the tokens are added.

    Raises:
        UsageError: the directory holds no model, or no tokenizer.
    """
    if not (base / "config.json").is_file() or not (base / TOKENIZER).is_file():
        raise UsageError(f"{base} holds no model in Hugging Face's form with a {TOKENIZER}")
    if json.loads((base / "config.json").read_text()).get("model_type") != "llama":
        raise UsageError(f"{base} is no Llama, and veriloop train export could not write it")
    words = Tokenizer.from_file(str(tokenizer or base / TOKENIZER))
    words.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special_tokens()])
    model = AutoModelForCausalLM.from_pretrained(base, local_files_only=True, dtype=torch.float32)
    if words.get_vocab_size() > model.config.vocab_size:
        model.resize_token_embeddings(words.get_vocab_size(), mean_resizing=False)
    return model, words
