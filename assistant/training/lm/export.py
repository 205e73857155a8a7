"""From a Llama in transformers' form to a GGUF file, and from that to a smaller one.

llama.cpp rotates neighbouring pairs (Su et al., RoFormer, 2021), transformers halves; the rows of the query and key
matrices are put into llama.cpp's order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from veriloop.assistant.errors import UsageError
from veriloop.assistant.repair.prompt import END, FIM_MIDDLE, FIM_PREFIX, FIM_SUFFIX
from veriloop.assistant.training.lm.tokenizer import PRE_TOKENIZER

_PARTS = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}

Array = NDArray[np.float32]


def write_gguf(
    path: Path,
    config: Any,
    weights: Mapping[str, Array],
    tokenizer: Path,
    *,
    name: str,
    quantised: bool,
    licence: str = "Apache-2.0",
) -> None:
    """Writes a model.

    Args:
        path: of the new file.
        config: transformers' `LlamaConfig`.
        weights: transformers' names and values in 32-bit floats.
        tokenizer: the tokenizer's JSON file.
        name: what the model is called.
        quantised: Q8_0 for the matrices instead of 32-bit floats.
        licence: of the weights.

    Raises:
        UsageError: llama.cpp has no name for the tokenizer's way of splitting.
    """
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name(name)
    writer.add_license(licence)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(rope_base(config))
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if quantised else gguf.LlamaFileType.ALL_F32)
    _write_tokenizer(writer, json.loads(tokenizer.read_text()), config)
    for target, values in _tensors(config, weights):
        if quantised and values.ndim == 2:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(target, gguf.quants.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(target, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def rope_base(config: Any) -> float:
    """The base of the rotary embedding, which transformers has moved between its versions."""
    parameters: Mapping[str, Any] = getattr(config, "rope_parameters", None) or {}
    return float(parameters.get("rope_theta", getattr(config, "rope_theta", 10000.0)))


def _tensors(config: Any, weights: Mapping[str, Array]) -> list[tuple[str, Array]]:
    found = [
        ("token_embd.weight", weights["model.embed_tokens.weight"]),
        ("output_norm.weight", weights["model.norm.weight"]),
    ]
    if not config.tie_word_embeddings:
        found.append(("output.weight", weights["lm_head.weight"]))
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for block in range(config.num_hidden_layers):
        for part, target in _PARTS.items():
            values = weights[f"model.layers.{block}.{part}.weight"]
            if target in heads:
                values = interleaved(values, heads[target])
            found.append((f"blk.{block}.{target}.weight", values))
    return [(name, np.ascontiguousarray(values, dtype=np.float32)) for name, values in found]


def interleaved(values: Array, heads: int) -> Array:
    """The rows of a query or key matrix, head by head from halves to neighbouring pairs."""
    rows, columns = values.shape
    halves = values.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)


def pre_tokenizer_of(data: Mapping[str, Any]) -> str:
    """llama.cpp's name for a tokenizer's way of splitting.

    Raises:
        UsageError: it has none that is known here.
    """
    steps = data.get("pre_tokenizer") or {}
    kinds = [one["type"] for one in steps.get("pretokenizers", [steps] if steps else [])]
    found = {("Digits", "ByteLevel"): PRE_TOKENIZER, ("ByteLevel",): "gpt-2"}.get(tuple(kinds))
    if data["model"].get("type", "BPE") != "BPE" or found is None:
        raise UsageError(
            f"this tokenizer splits in a way that is not known here: {', '.join(kinds) or 'none'}",
            hint="convert it with llama.cpp's convert_hf_to_gguf.py, then veriloop models add FILE",
        )
    return found


def _write_tokenizer(writer: gguf.GGUFWriter, data: Mapping[str, Any], config: Any) -> None:
    special = {token["id"]: token["content"] for token in data["added_tokens"]}
    words = {number: word for word, number in data["model"]["vocab"].items()} | special
    size: int = config.vocab_size
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer_of(data))
    writer.add_token_list([words.get(number, f"<|unused{number}|>") for number in range(size)])
    kinds = {True: gguf.TokenType.CONTROL, False: gguf.TokenType.NORMAL}
    writer.add_token_types(
        [kinds[number in special] if number in words else gguf.TokenType.UNUSED for number in range(size)]
    )
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in data["model"]["merges"]]
    writer.add_token_merges(merges)
    numbers = {word: number for number, word in words.items()}
    end = numbers.get(END, config.eos_token_id)
    end = end[0] if isinstance(end, list) else end
    if end is not None:
        writer.add_bos_token_id(end)
        writer.add_eos_token_id(end)
    writer.add_add_bos_token(False)
    if FIM_MIDDLE in numbers:
        writer.add_string("veriloop.fim_order", "suffix, middle, prefix")
    for key, token in (("pre", FIM_PREFIX), ("suf", FIM_SUFFIX), ("mid", FIM_MIDDLE)):
        # Many models name them without the vertical bars.
        number = numbers.get(token, numbers.get(token.replace("|", "")))
        if number is not None:
            writer.add_uint32(f"tokenizer.ggml.fim_{key}_token_id", number)
