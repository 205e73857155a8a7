"""From the files that a change touches to the files, designs and tests that it can make a difference to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from veriloop.assistant.change.facts import Facts
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.project import HEADER_SUFFIXES, SOURCE_SUFFIXES, Project
from veriloop.assistant.design.reach import FileFacts, Reach, visible_text
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.errors import UsageError
from veriloop.assistant.verify.protected import Contents, judging
from veriloop.assistant.verify.testbench import CocotbTestbench, CommandTest, Testbench

VERILOG = SOURCE_SUFFIXES | HEADER_SUFFIXES

_SAYS_NOTHING = frozenset(
    {".md", ".rst", ".adoc", ".txt", ".png", ".svg", ".jpg", ".jpeg", ".gif", ".pdf", ".drawio", ".odt", ".docx"}
)
_SAYS_NOTHING_NAMES = frozenset(
    {"license", "copying", "authors", "changelog", "contributing", ".gitignore", ".gitattributes", ".editorconfig"}
    | {".pre-commit-config.yaml", ".gitmodules", "lefthook.yml"}
)
_BUILD_LISTS = frozenset({".f", ".fl", ".vc", ".core", ".mk"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What a change reaches in the tree that it makes; paths are relative to its root, with `/`."""

    changed: tuple[str, ...]
    """What it touches, but for what says nothing about a design: texts, pictures."""
    layout_only: tuple[str, ...]
    """Those of them of which only comments and layout change."""
    affected: frozenset[str]
    """The Verilog files that depend on what is touched, themselves included."""
    everything: str
    """Why everything counts as affected: a file that says what is built was touched; else empty."""
    reach: Reach

    def judges(self, testbench: Testbench) -> bool:
        """Whether a test can come out otherwise than before."""
        if not self.changed:
            return False
        if self.everything or isinstance(testbench, CommandTest):
            return True
        python = [path for path in self.changed if path.endswith(".py")]
        if isinstance(testbench, CocotbTestbench) and any(
            Path(path).parent in testbench.search_path for path in python
        ):
            return True
        oracle = getattr(testbench, "oracle", None)
        paths = [*testbench.design.sources, *testbench.design.library_files, *([oracle] if oracle else [])]
        names = {path.as_posix() for path in paths}
        return bool(names & (self.affected | set(self.changed)))

    def covers(self, testbench: Testbench, path: str) -> bool:
        """Whether a test reads a file: as a source of its own, or as what one of them includes."""
        if isinstance(testbench, CommandTest):
            return True
        if isinstance(testbench, CocotbTestbench) and path.endswith(".py"):
            return Path(path).parent in testbench.search_path
        sources = {one.as_posix() for one in (*testbench.design.sources, *testbench.design.library_files)}
        if path in sources:
            return True
        oracle = getattr(testbench, "oracle", None)
        if oracle is not None and oracle.as_posix() == path:
            return True
        # A header or a memory image belongs to whoever takes it, module by module it need not.
        by_name = PurePosixPath(path).suffix.lower() not in SOURCE_SUFFIXES
        return by_name and any(path in self.reach.reached(source) for source in sources if source in self.reach)


def impact(root: Path, contents: Contents, before: frozenset[str], known: Facts | None = None) -> Impact:
    """What a change reaches.

    Args:
        root: where the changed tree lies.
        contents: what the change does to each file.
        before: the paths of the tree that it was made on.
        known: what was read of files before.
    """
    known = known or Facts()
    changed = tuple(path for path in contents if not _says_nothing(path))
    facts, others, links = _read(root, known)
    reach = Reach(facts, others, links)
    gone: set[str] = set()
    for path in changed:
        if _is_verilog(path):
            old = known.read(contents[path][0])
            new = facts.get(path)
            kept = (new.declares | new.defines) if new else frozenset()
            gone |= (old.declares | old.defines) - kept
            if path not in facts:
                gone.add(PurePosixPath(path).name)
    known.write()
    # A file that was not there before may hide another of its name, or be what was missing: its users count by name.
    layout_only = tuple(path for path in changed if _is_verilog(path) and _same(contents[path]))
    there = {*facts, *others}
    seeds = [path for path in changed if path not in layout_only and (path in there or path not in before)]
    affected = reach.users(seeds, gone)
    return Impact(
        changed=changed,
        layout_only=layout_only,
        affected=frozenset(path for path in affected if path in facts),
        everything=next((f"{path} says what is built" for path in changed if _says_what_is_built(path)), ""),
        reach=reach,
    )


def affected_designs(found: Impact, project: Project) -> Iterator[Design]:
    """The designs to look at without a test: each affected module that no affected module instantiates.

    Where the project says what its design is, that design, if it is affected.
    """
    declared = project.declared_design
    if declared.sources and declared.toplevel:
        design = project.design().design
        sources = {path.as_posix() for path in design.sources}
        if found.everything or sources & found.affected:
            yield design
        if found.affected <= sources or found.everything:
            return
    rtl = frozenset(path for path in found.affected if _is_source(path) and not is_test_path(PurePosixPath(path)))
    if found.everything:
        rtl = frozenset(
            path.as_posix() for path in project.files if _is_source(path.as_posix()) and not is_test_path(path)
        )
    if declared.sources and declared.toplevel:
        rtl -= {path.as_posix() for path in declared.sources}
    for path in _roots(found.reach, rtl):
        yield from _tops_of(project, path)


def _roots(reach: Reach, rtl: frozenset[str]) -> list[str]:
    """The files that no other of these uses; of files that use each other in a ring, all."""
    used_by_others = {path for path in rtl if any(path in reach.uses(other) for other in rtl if other != path)}
    roots = sorted(rtl - used_by_others)
    covered = {path for root in roots for path in reach.reached(root)}
    return roots + sorted(rtl - covered)


def _tops_of(project: Project, path: str) -> Iterator[Design]:
    try:
        design = replace(project.design_for([Path(path)]).design, parameters=())
    except UsageError:
        return
    elaboration = elaborate(replace(design, toplevel="").rooted(project.root))
    own = project.root / path
    for name in elaboration.tops:
        module = elaboration.modules.get(name)
        if module is not None and module.path == own:
            yield replace(design, toplevel=name)


def protected_paths(contents: Mapping[str, object]) -> Sequence[str]:
    """The touched files that judge by their names alone."""
    return [path for path in contents if judging(path)]


def _read(root: Path, known: Facts) -> tuple[dict[str, FileFacts], list[str], dict[str, str]]:
    """The facts of each Verilog file below a root, all other files, and the links with what they lead to."""
    facts: dict[str, FileFacts] = {}
    others: list[str] = []
    links: dict[str, str] = {}
    for folder, inner, names in os.walk(root):
        inner.sort()
        for name in sorted(names):
            full = Path(folder, name)
            path = full.relative_to(root).as_posix()
            if full.is_symlink():
                target = Path(os.path.realpath(full))
                if target.is_relative_to(root):
                    links[path] = target.relative_to(root).as_posix()
            if _is_verilog(path) and full.is_file():
                facts[path] = known.read(full.read_bytes())
            else:
                others.append(path)
    return facts, others, links


def visible_text_differs(versions: tuple[bytes, bytes]) -> bool:
    """Whether more than comments and layout changes."""
    return not _same(versions)


def _same(versions: tuple[bytes, bytes]) -> bool:
    before, after = versions
    return bool(before) and bool(after) and visible_text(before) == visible_text(after)


def _is_verilog(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in VERILOG


def _is_source(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in SOURCE_SUFFIXES


def _says_what_is_built(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.suffix.lower() in _BUILD_LISTS or pure.name in ("veriloop.toml", "Bender.yml", "Bender.lock")


def _says_nothing(path: str) -> bool:
    pure = PurePosixPath(path)
    plain = pure.name.lower() in _SAYS_NOTHING_NAMES or pure.stem.lower() in _SAYS_NOTHING_NAMES
    # A `.txt` may be a table that a testbench reads; then its users count (see `impact`).
    return plain or (pure.suffix.lower() in _SAYS_NOTHING and pure.suffix.lower() != ".txt")
