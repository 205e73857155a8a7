"""What all readers are handed: the tree, the variables of the surroundings, the project's Python environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from veriloop.assistant.project import needs
from veriloop.assistant.project.model import Need, Origin
from veriloop.assistant.project.pyvalues import Script
from veriloop.assistant.project.tree import Tree
from veriloop.assistant.project.variables import Variables

LIST_PATTERNS = ("*.f", "*.F", "*.vf", "*.vc", "*.flist", "*.filelist", "Flist.*", "flist", "flist.*", "filelist.*")


@dataclass
class Context:
    """What readers share."""

    tree: Tree
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that the repository's own runners set for tests (tox's `setenv`, a workflow's `env`)."""
    notes: list[str] = field(default_factory=list)
    _scripts: dict[Path, Script] = field(default_factory=dict)
    _modules: dict[Path, Script] = field(default_factory=dict)

    @cached_property
    def lists(self) -> tuple[Path, ...]:
        """The file lists of the tree."""
        names = {*self.tree.files(*LIST_PATTERNS), *self.tree.files("files.txt", "sources.txt", "*.lst", "files")}
        # Verible's is the editors'.
        return tuple(sorted(path for path in names if path.name != "verible.filelist" and _is_list(self.tree, path)))

    @cached_property
    def variables(self) -> Variables:
        """Environment variables, guessed from their use in file lists."""
        return Variables(self.tree, [self.tree.text(path) for path in self.lists])

    @cached_property
    def python(self) -> Path | None:
        """The project's own virtual environment."""
        return needs.own_environment(self.tree)

    def script(self, path: Path) -> Script:
        """A Python file, read once."""
        if path not in self._scripts:
            self._scripts[path] = Script(self.tree, path, self.environment, known=self._modules)
        return self._scripts[path]

    def programs(self, names: Iterable[str]) -> tuple[Need, ...]:
        """Programs as needs."""
        return needs.programs(names, self.python)

    def packages(self, imports: Iterable[str]) -> tuple[Need, ...]:
        """Python packages as needs, by the modules that are imported."""
        return needs.packages(imports, self.tree, self.python)


def origin(reader: str, path: Path, line: int = 0) -> Origin:
    """A place, for short."""
    return Origin(path=path, reader=reader, line=line)


def in_directory(directory: Path, command: str) -> str:
    """A command that is run in a directory of the tree, for `sh -c` at its root."""
    from shlex import quote

    return command if directory in (Path(), Path()) else f"cd {quote(directory.as_posix())} && {command}"


def _is_list(tree: Tree, path: Path) -> bool:
    """Whether a file that is named like a list names Verilog files, includes or macros; `.f` is Fortran's, too."""
    text = tree.text(path)[:20_000]
    hits = sum(
        line.strip().rstrip('"').endswith((".v", ".sv", ".vh", ".svh", ".f", ".vf", ".flist"))
        or line.strip().startswith(("+incdir", "+define", "-f ", "-F ", "-y ", "-v ", "-I"))
        for line in text.splitlines()
    )
    return hits > 0 and "\n      program " not in text.lower()
