"""What the loop is measured on: designs of our own, and any that the user points at."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree, find, first
from veriloop.assistant.errors import UsageError
from veriloop.assistant.repair.operators import Proposal, proposals
from veriloop.assistant.repair.screen import fingerprint
from veriloop.assistant.verify.differential import renamed
from veriloop.assistant.verify.testbench import VerilogTestbench

OWN = Path(__file__).parent / "designs"
COPY = "_ref"
"""A module of this ending that no file declares is a copy of the one without it: the design beside itself."""

_NAMES = ("small", "queue", "link", "filter", "engine")
_SLIP = (b"OP_MIN:  result = (a < b)", b"OP_MIN:  result = (a > b)")
_PORTS = ("ansi_port_declaration", "port_reference", "port")
_SUFFIXES = (".v", ".sv")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopDesign:
    """A design with its testbench, from which candidates are made."""

    name: str
    files: dict[str, bytes]
    editable: tuple[str, ...]
    testbench: VerilogTestbench

    @property
    def lines(self) -> int:
        """Of the files that candidates change."""
        return sum(self.files[path].count(b"\n") for path in self.editable)

    def write(self, root: Path) -> None:
        """Writes the files."""
        for path, content in self.files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)


def own_designs() -> list[LoopDesign]:
    """Those that come with Veriloop, the smallest first; the last one with a slip in it, as a repair begins."""
    small, queue, link, taps, engine = (read_design([OWN / name]) for name in _NAMES)
    (path,) = engine.editable
    slipped = engine.files[path].replace(*_SLIP)
    assert slipped != engine.files[path]
    with_slip = replace(engine, name="engine with a slip", files={**engine.files, path: slipped})
    return [small, queue, link, taps, engine, with_slip]


def read_design(paths: Sequence[Path]) -> LoopDesign:
    """A design with its testbench, from a directory or from files.

    The module without ports that nobody instantiates is the testbench; every other file may be changed.

    Raises:
        UsageError: a file is missing, or there is no single module at the top.
    """
    found = sorted(one for path in paths for one in (path.iterdir() if path.is_dir() else [path]))
    sources = [path for path in found if path.suffix in _SUFFIXES]
    others = [path for path in found if path.suffix not in _SUFFIXES and path.is_file()]
    missing = [path for path in sources if not path.is_file()]
    if missing or not sources:
        raise UsageError(f"no such design: {(missing or list(paths))[0]}")
    files = {path.name: path.read_bytes() for path in (*others, *sources)}
    declared: dict[str, str] = {}
    with_ports: set[str] = set()
    used: set[str] = set()
    for path in sources:
        tree = SyntaxTree(files[path.name])
        for module in tree.modules:
            name = Structure(tree, module).name
            declared[name] = path.name
            header = first(module, ("module_ansi_header", "module_nonansi_header"))
            if header is not None and first(header, _PORTS) is not None:
                with_ports.add(name)
        used |= {tree.text(one.children[0]) for one in find(tree.root, ("module_instantiation",)) if one.children}
    tops = [name for name in declared if name not in used and name not in with_ports]
    if len(tops) != 1:
        raise UsageError(
            f"which module is the testbench? Without ports and not instantiated: {', '.join(tops) or 'none'}"
        )
    bench = declared[tops[0]]
    editable = tuple(path.name for path in sources if path.name != bench)
    copied = {name.removesuffix(COPY) for name in used - declared.keys() if name.endswith(COPY)} & declared.keys()
    copies = {}
    if copied:
        own = {name for name, file in declared.items() if file in editable}
        copies = {f"copy_{name}": renamed(files[name], COPY, own) for name in editable}
    design = Design(toplevel=tops[0], sources=tuple(Path(name) for name in (bench, *copies, *editable)))
    name = paths[0].name if len(paths) == 1 and paths[0].is_dir() else paths[-1].stem
    return LoopDesign(
        name=name,
        files={**files, **copies},
        editable=editable,
        testbench=VerilogTestbench(name=name, design=design, timeout_s=120.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopCandidate:
    """One changed design."""

    operator: str
    contents: dict[str, bytes]


def candidates(design: LoopDesign, root: Path, *, seed: int, by_class: bool) -> Iterator[LoopCandidate]:
    """Candidates that elaborate, each of another text, at random.

    With `by_class` every operator class has its turn, however few edits it makes; without, every edit is as likely.
    """
    elaborator = Elaborator(design.testbench.design.rooted(root))
    used = elaborator.elaborate().modules.keys()
    shuffler = random.Random(seed)
    classes: dict[str, list[tuple[str, Proposal]]] = defaultdict(list)
    for path in design.editable:
        for structure, proposal in proposals(SyntaxTree(design.files[path])):
            # What nobody instantiates no test can see.
            if structure.name in used:
                classes[proposal.operator].append((path, proposal))
    for group in classes.values():
        shuffler.shuffle(group)
    seen = {fingerprint({path: design.files[path] for path in design.editable})}
    groups = [classes[name] for name in sorted(classes)]
    together = [one for group in groups for one in group]
    shuffler.shuffle(together)
    for path, proposal in _in_turn(groups if by_class else [together]):
        edits = [
            Edit(path=path, start=start, end=end, text=text.encode()) for start, end, text in proposal.replacements
        ]
        content = apply_edits(design.files[path], edits)
        mark = fingerprint({**{one: design.files[one] for one in design.editable}, path: content})
        if mark in seen or elaborator.objections({root / path: content}):
            continue
        seen.add(mark)
        yield LoopCandidate(operator=proposal.operator, contents={path: content})


def _in_turn(groups: Iterable[list[tuple[str, Proposal]]]) -> Iterator[tuple[str, Proposal]]:
    waiting = [list(group) for group in groups]
    while waiting:
        waiting = [group for group in waiting if group]
        for group in waiting:
            yield group.pop()
