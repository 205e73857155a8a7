"""Public sets of design problems: a specification, and a testbench that holds an answer to the set's own reference.

Sources: VerilogEval v2 (Pinckney et al., https://github.com/NVlabs/verilog-eval); HDLBits as AutoBench and CorrectBench
use it, with recorded answers of three models (Qiu et al., https://github.com/AutoBench/CorrectBench).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.errors import UsageError

RECORDED = {
    "gpt-4o-mini": "HDLBits_data_RTL_4omini_20.jsonl",
    "gpt-4o": "HDLBits_data_RTL_4o_20.jsonl",
    "claude-3.5-sonnet": "HDLBits_data_RTL_sonnet35_20.jsonl",
}
"""The models of which HDLBits holds recorded answers, and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem; whoever answers sees its specification and header, and nothing else of it."""

    name: str
    specification: str
    header: str | None
    """The module header to use, where the set gives it apart from the text."""
    bench: Mapping[str, bytes]
    """The testbench's files, its own reference among them; its top is `tb`."""
    golden: bytes
    """The reference under the name that the testbench expects of an answer."""


def verilogeval(data: Path) -> Iterator[Problem]:
    """VerilogEval's problems in the form from specification to RTL.

    Raises:
        UsageError: there are none.
    """
    root = data / "spec-to-rtl" if (data / "spec-to-rtl").is_dir() else data
    prompts = sorted(root.glob("Prob*_prompt.txt"))
    if not prompts:
        raise UsageError(f"{data} holds no VerilogEval: no spec-to-rtl/Prob*_prompt.txt in it")
    for prompt in prompts:
        stem = prompt.name.removesuffix("_prompt.txt")
        reference = prompt.with_name(f"{stem}_ref.sv").read_bytes()
        yield Problem(
            name=stem,
            specification=prompt.read_text(encoding="utf-8", errors="replace"),
            header=None,
            bench={"test.sv": prompt.with_name(f"{stem}_test.sv").read_bytes(), "ref.sv": reference},
            golden=re.sub(rb"\bRefModule\b", b"TopModule", reference),
        )


def hdlbits(data: Path) -> Iterator[Problem]:
    """The problems of HDLBits.

    Raises:
        UsageError: there are none.
    """
    for record in _records(data / "HDLBits_data.jsonl"):
        yield Problem(
            name=record["task_id"],
            specification=record["description"],
            header=record["header"],
            bench={"test.sv": record["testbench"].encode()},
            golden=record["module_code"].encode(),
        )


def recorded(data: Path, model: str) -> dict[str, tuple[bytes, ...]]:
    """The recorded answers of a model by problem.

    Raises:
        UsageError: they are not there.
    """
    return {
        record["task_id"]: tuple(answer.encode() for answer in record["llmgen_RTL"])
        for record in _records(data / RECORDED[model])
    }


def _records(path: Path) -> Iterator[dict[str, str]]:
    if not path.is_file():
        raise UsageError(f"no such file: {path}", hint="veriloop bench hdlbits-select --data DIR, which holds it")
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
