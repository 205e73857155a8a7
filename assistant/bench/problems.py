"""Public sets of design problems: a specification, and a testbench that holds an answer to the set's own reference.

Sources: VerilogEval v2 (Pinckney et al., https://github.com/NVlabs/verilog-eval); HDLBits as AutoBench and CorrectBench
use it, with recorded answers of three models (Qiu et al., https://github.com/AutoBench/CorrectBench); RTLLM v2.0 (Lu et
al., https://github.com/hkust-zhiyao/RTLLM); ChipBench's generation part (https://github.com/zhongkaiyu/ChipBench).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.errors import UsageError
from veriloop.assistant.verify.differential import top_of

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
    answer: str = "TopModule"
    """The module's name that the testbench expects."""
    toplevel: str = "tb"
    """The testbench's module."""
    behind: frozenset[str] = frozenset()
    """Files of the bench that are read after the answer, because they use macros or modules of others."""
    data: Mapping[str, bytes] = field(default_factory=dict)
    """Files that the testbench reads while it runs."""
    pass_pattern: str = ""
    """What a passing run prints; empty: the usual summaries."""
    given: bytes = b""
    """Modules that the specification provides, which an answer may instantiate."""
    known_fault: str = ""
    """What is publicly known to be wrong with the problem itself."""


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
            answer="top_module",
        )


RTLLM_FAULTS = {
    "radix2_div": "its reference fails its own testbench (RTLLM issue 20)",
    "clkgenerator": "its reference fails its own testbench",
    "ring_counter": "its testbench does not compile without TuRTLe's fix",
    "asyn_fifo": "its testbench needs `break`, which Icarus knows from version 12 on",
    "adder_pipe_64bit": "its description leaves out the pipeline's depth (RTLLM issue 18)",
    "sequence_detector": "its description leaves out required ports (RTLLM issue 18)",
}
"""Problems of RTLLM of which something is known to be wrong; whether it matters here, the harness finds out."""

CHIPBENCH_FAULTS = {
    "Prob013_least_common_multiple": "its reference fails its own testbench (outputs that are Z)",
}


def rtllm(data: Path) -> Iterator[Problem]:
    """RTLLM's problems.

    Raises:
        UsageError: there are none.
    """
    root = data / "v2.0" if (data / "v2.0").is_dir() else data
    found = sorted(root.rglob("design_description.txt"))
    if not found:
        raise UsageError(f"{data} holds no RTLLM: no design_description.txt below it")
    for description in found:
        folder = description.parent
        references = sorted((*folder.glob("verified_*.v"), *folder.glob("verified_*.sv")))
        bench = folder / "testbench.v"
        if not references or not bench.is_file():
            continue
        text = bench.read_bytes()
        files = {"testbench.v": text}
        golden, name = _renamed(references[0].read_bytes(), text)
        yield Problem(
            name=folder.name,
            specification=description.read_text(encoding="utf-8", errors="replace"),
            header=None,
            bench=files,
            golden=golden,
            answer=name,
            toplevel=top_of(files) or name,
            data={path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in {".txt", ".dat", ".mem"}},
            pass_pattern=r"Your Design Passed",
            known_fault=RTLLM_FAULTS.get(folder.name, ""),
        )


def _renamed(reference: bytes, bench: bytes) -> tuple[bytes, str]:
    """The reference under the name by which the testbench instantiates it; upstream's names differ."""
    tree = SyntaxTree(reference)
    own = [Structure(tree, module).name for module in tree.modules]
    for name in re.findall(rb"^\s*([A-Za-z_]\w*)\s+(?:#\s*\(.*?\)\s*)?\w+\s*\(", bench, re.M | re.S):
        wanted = name.decode()
        if wanted in own:
            return reference, wanted
        if f"verified_{wanted}" in own:
            return re.sub(rb"\bverified_" + name + rb"\b", name, reference), wanted
    top = top_of({"reference.v": reference}) or (own[-1] if own else "")
    used = [
        name.decode()
        for name in re.findall(rb"^\s*([A-Za-z_]\w*)\s+(?:#[^;]*?)?(?:uut|dut|\w*inst\w*|\w+)\s*\(", bench, re.M | re.I)
    ]
    plain = [name for name in used if name not in _VERILOG_WORDS]
    if top and plain:
        return re.sub(rb"\b" + top.encode() + rb"\b", plain[0].encode(), reference), plain[0]
    return reference, top


_VERILOG_WORDS = frozenset(
    ["module", "initial", "always", "if", "else", "for", "while", "repeat", "task", "function", "begin", "end", "case"]
)


def chipbench_gen(data: Path) -> Iterator[Problem]:
    """ChipBench's generation problems.

    Raises:
        UsageError: there are none.
    """
    root = data / "verilog_gen" if (data / "verilog_gen").is_dir() else data
    prompts = sorted(root.rglob("Prob*_prompt.txt"))
    if not prompts:
        raise UsageError(f"{data} holds no ChipBench: no verilog_gen/*/Prob*_prompt.txt in it")
    for prompt in prompts:
        stem = prompt.name.removesuffix("_prompt.txt")
        reference = prompt.with_name(f"{stem}_ref.sv").read_bytes()
        text = prompt.read_text(encoding="utf-8", errors="replace")
        given = _given(text, reference)
        yield Problem(
            name=f"{prompt.parent.name}/{stem}",
            specification=text,
            header=None,
            bench={"test.sv": prompt.with_name(f"{stem}_test.sv").read_bytes(), "ref.sv": reference},
            golden=_top_alone(reference) + b"\n" + given,
            # The reference uses macros of the testbench, and modules that the answer brings along.
            behind=frozenset({"ref.sv"}),
            given=given,
            known_fault=CHIPBENCH_FAULTS.get(stem, ""),
        )


def _given(text: str, reference: bytes) -> bytes:
    """The modules that a prompt provides and the reference does not bring itself."""
    blocks = [match[0] for match in re.finditer(r"^[ \t]*module\s+\w+\s*[#(;].*?\bendmodule\b", text, re.M | re.S)]
    found = []
    for block in blocks:
        name = re.match(r"\s*module\s+(\w+)", block)
        defined = name is not None and re.search(rb"\bmodule\s+" + name[1].encode() + rb"\b", reference)
        if name is not None and name[1] != "TopModule" and not defined:
            found.append(block)
    return "\n\n".join(found).encode() + b"\n" if found else b""


def _top_alone(reference: bytes) -> bytes:
    """The reference's top under the answer's name; its other modules stay in the reference, which is read as well."""
    tree = SyntaxTree(reference)
    for module in tree.modules:
        if Structure(tree, module).name == "RefModule":
            text = reference[module.start_byte : module.end_byte]
            return re.sub(rb"\bRefModule\b", b"TopModule", text)
    return re.sub(rb"\bRefModule\b", b"TopModule", reference)


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
