"""Do two designs always answer alike? Both in one module, on the same inputs, with an assertion that they do."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.differential import names_in, renamed
from veriloop.assistant.verify.formal.harness import TOP, connections, input_lines, reset_lines, single_edge
from veriloop.assistant.verify.formal.prover import Prover, Verdict
from veriloop.assistant.verify.stimulus.pins import Pins
from veriloop.assistant.verify.stimulus.replay import Subject

_LABEL = "vl_alike"
_STRICT = (("a",), ("b",))
_LENIENT = (("a_vl0", "a_vl1"), ("b_vl0", "b_vl1"))
_UNKNOWN = {"vl0": "zero", "vl1": "one"}
"""What all that is unknown is in the modules of a run, by the end of its name."""


def compare_always(
    one: Subject,
    other: Subject,
    pins: Pins,
    design: Design,
    prover: Prover,
    *,
    root: Path,
    scratch: Path,
    timeout_s: float,
    cancel: CancelToken,
    lenient: bool = False,
) -> Verdict | None:
    """Whether two variants answer alike whatever the inputs are, from all zeros, once a reset is over if there is one.

    Args:
        one: a variant; the one that is the reference where `lenient`.
        other: the one that it is compared with.
        pins: of both.
        design: how the files are read; its sources that no variant brings are shared.
        prover: yosys and ABC.
        root: where relative paths start.
        scratch: an existing directory.
        timeout_s: for the proof.
        cancel: stops it.
        lenient: bits that the first one leaves unknown may be anything in the other, whose own have to be known where
            the first one's are. Both run twice, with all that is unknown in them 0 and 1; a bit in which the two runs
            of the first differ is taken for unknown.

    Returns:
        With the shortest inputs that tell them apart where there are such; none where yosys does not take them.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        directory = Path(name)
        shared = design.rooted(root)
        own = {root / path for subject in (one, other) for path in subject.files}
        sources = [path for path in shared.sources if path not in own]
        modules = []
        runs = _LENIENT if lenient else _STRICT
        for letters, subject in zip(runs, (one, other), strict=True):
            names = names_in(subject.files)
            for letter in letters:
                modules.append(f"{subject.module}_{letter}" if subject.module in names else subject.module)
                for number, content in enumerate(subject.files.values()):
                    path = directory / f"{letter}{number}.sv"
                    path.write_bytes(renamed(content, f"_{letter}", names))
                    sources.append(path)
        path = directory / f"{TOP}.sv"
        path.write_text(_text(runs, modules, (one, other), pins))
        folders = (*shared.include_dirs, *(path.parent for path in own))
        both = replace(shared, toplevel=TOP, sources=(*sources, path), include_dirs=folders, parameters=())
        found = prover.prove(
            both,
            cwd=root,
            scratch=directory,
            single_edge=single_edge(pins),
            wanted=1,
            timeout_s=timeout_s,
            cancel=cancel,
            unknown={f"_{letter}": _UNKNOWN[letter[2:]] for letters in runs for letter in letters if lenient},
        )
        return found.get(_LABEL) if found is not None else None


def _text(
    runs: tuple[tuple[str, ...], tuple[str, ...]], modules: list[str], subjects: tuple[Subject, Subject], pins: Pins
) -> str:
    width = sum(port.width_bits for port in pins.outputs)
    lines = [f"module {TOP}({input_lines(pins)});", *reset_lines(pins)]
    instances = [(letter, subject) for letters, subject in zip(runs, subjects, strict=True) for letter in letters]
    for (letter, subject), module in zip(instances, modules, strict=True):
        lines.append(f"  wire [{width - 1}:0] vl_{letter};")
        wires, offset = [*connections(pins), *subject.extra], width
        for port in pins.outputs:
            offset -= port.width_bits
            wires.append(f".{port.name}(vl_{letter}[{offset + port.width_bits - 1}:{offset}])")
        lines.append(f"  {module} vl_dut_{letter} ({', '.join(wires)});")
    (first, *again), others = runs
    known = "".join(f" & ~(vl_{first} ^ vl_{letter})" for letter in again)
    differs = " | ".join(f"((vl_{first} ^ vl_{letter}){known})" for letter in others)
    lines.append(f"  always @* begin {_LABEL}: assert (vl_first || ({differs}) == {width}'d0); end")
    return "\n".join([*lines, "endmodule"]) + "\n"
