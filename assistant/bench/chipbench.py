"""ChipBench's debugging cases: a prompt with a broken `TopModule`, a reference, and a testbench that compares the two.

The testbench is the oracle. The search gets no text of the prompt, and the reference only as a black box that the
testbench instantiates. Source: Yu et al., ChipBench (2026), https://github.com/zhongkaiyu/ChipBench.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from veriloop.assistant.bench.case import Case
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree, find
from veriloop.assistant.errors import UsageError
from veriloop.assistant.verify.testbench import VerilogTestbench

_BROKEN_AFTER = "Based on the problem description above"
_FENCED = re.compile(r"```\w*\r?\n(.*?)```", re.S)
_SHOTS = "zero_shot_"
_TIMEOUT_S = 5.0
_RTL, _TESTBENCH, _REFERENCE, _HELPERS = "rtl/TopModule.sv", "tb/test.sv", "tb/ref.sv", "rtl/helpers.sv"


def load(data: Path) -> Iterator[Case]:
    """The cases below a directory that holds `verilog_debug/`, or is it.

    Raises:
        UsageError: there are none.
    """
    root = data / "verilog_debug" if (data / "verilog_debug").is_dir() else data
    prompts = sorted(root.glob(f"{_SHOTS}*/*_prompt.txt"))
    if not prompts:
        raise UsageError(f"{data} holds no ChipBench: no verilog_debug/{_SHOTS}*/*_prompt.txt in it")
    for prompt in prompts:
        yield _case(prompt)


def _case(prompt: Path) -> Case:
    stem = prompt.name.removesuffix("_prompt.txt")
    kind = prompt.parent.name.removeprefix(_SHOTS)
    text = prompt.read_bytes().decode("utf-8", errors="replace")
    before, _, after = text.partition(_BROKEN_AFTER)
    fenced = _FENCED.search(after)
    broken = (fenced[1] if fenced else after.partition("\n")[2]).encode()
    testbench = prompt.with_name(f"{stem}_test.sv").read_bytes()
    reference = prompt.with_name(f"{stem}_ref.sv").read_bytes()
    own, others = modules(broken), {**modules(before.encode()), **modules(reference)}
    helpers = {name: others[name] for name in _needed(broken, others) if name not in own}
    # The reference file may hold a helper itself; it is compiled once, beside whoever brings it first.
    elsewhere = {name: content for name, content in helpers.items() if name not in modules(reference)}
    for name in _needed(reference, {**own, **others}):
        if name not in own and name not in modules(reference):
            elsewhere.setdefault(name, others[name])
    golden = _golden(reference, own)
    kept = {name: content for name, content in modules(reference).items() if name not in own}
    files = {
        _RTL: broken,
        _TESTBENCH: testbench,
        _REFERENCE: b"\n".join(kept.values()) + b"\n",
        **({_HELPERS: b"\n".join(elsewhere.values()) + b"\n"} if elsewhere else {}),
    }
    sources = [_TESTBENCH, _REFERENCE, *([_HELPERS] if elsewhere else []), _RTL]
    design = Design(toplevel="tb", sources=tuple(Path(path) for path in sources))
    bench = VerilogTestbench(name="test", design=design, timeout_s=_TIMEOUT_S)
    return Case(name=f"{kind}/{stem}", kind=kind, files=files, rtl=_RTL, golden=golden, testbench=bench)


def modules(content: bytes) -> dict[str, bytes]:
    """The modules of a text by name, each as it is written."""
    tree = SyntaxTree(content)
    found = {Structure(tree, node).name: content[node.start_byte : node.end_byte] for node in tree.modules}
    if found or b"endmodule" not in content:
        return found
    # A module that does not parse is still told by its first and last words.
    return {
        match[1].decode(): match[0]
        for match in re.finditer(rb"^\s*module\s+(\w+).*?^\s*endmodule", content, re.M | re.S)
    }


def _needed(content: bytes, known: dict[str, bytes]) -> list[str]:
    """The modules that a text instantiates, and those that they do."""
    tree = SyntaxTree(content)
    direct = [
        name
        for node in find(tree.root, ("module_instantiation",))
        if node.children and (name := tree.text(node.children[0])) in known
    ]
    return list(dict.fromkeys([*direct, *(deep for name in direct for deep in _needed(known[name], known))]))


def _golden(reference: bytes, own: dict[str, bytes]) -> bytes:
    """The reference under the name of the broken module, with the helpers that came with that."""
    found = modules(reference)
    text = re.sub(rb"\bRefModule\b", b"TopModule", found["RefModule"])
    return text + b"\n" + b"".join(content + b"\n" for name, content in own.items() if name != "TopModule")
