"""The composition root: from a directory to everything that a workflow works with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.config import Config, load_config
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.gate import Gate
from veriloop.assistant.places import REPOSITORY_FILE
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.cache import VerdictCache
from veriloop.assistant.verify.evidence import Evidence
from veriloop.assistant.verify.toolchain import Toolchain


def verdict_cache(directory: Path, config: Config) -> VerdictCache:
    """The verdicts that every front end and every process of this user share.

    Args:
        directory: where everything is kept that can be made again.
        config: says how much is kept.
    """
    return VerdictCache(directory / "verdicts", limit_bytes=config.user.cache.limit_mb * 1_000_000)


@dataclass(frozen=True, slots=True)
class Context:
    """One repository with its settings and this machine's tools."""

    repository: Repository
    config: Config
    toolchain: Toolchain
    cache: VerdictCache
    cancel: CancelToken

    @classmethod
    def of(cls, repository: Repository, cancel: CancelToken, *, tree: str = "") -> Context:
        """Reads the settings and finds the tools that they name.

        Args:
            repository: the user's.
            cancel: stops everything.
            tree: the tree whose settings count; empty: those on disk.

        Raises:
            ConfigError: a configuration file cannot be used.
            ToolNotFound: no Verilator.
        """
        content = (repository.read(tree, REPOSITORY_FILE) or b"") if tree else None
        config = load_config(repository.root, content=content)
        tools = config.user.tools
        toolchain = Toolchain.find(
            cache=repository.cache,
            cancel=cancel,
            verilator=tools.verilator,
            iverilog=tools.iverilog,
            compiler=tools.cxx,
            isolation=config.user.held,
        )
        return cls(repository, config, toolchain, verdict_cache(repository.cache, config), cancel)

    @property
    def needs(self) -> tuple[str, ...]:
        """Ignored files that the tests need."""
        return tuple(str(path) for path in self.config.repository.project.needs)

    @property
    def gate(self) -> Gate:
        """The gate of this repository."""
        return Gate(
            repository=self.repository,
            toolchain=self.toolchain,
            cache=self.cache,
            cancel=self.cancel,
            needs=self.needs,
            editable=self.config.repository.project.editable,
            locked=self.config.repository.project.protected,
        )

    @property
    def minimum(self) -> Evidence:
        """The evidence from which a change may be applied."""
        return Evidence.TESTS_ICARUS if self.config.user.check.allow_icarus_only else Evidence.TESTS

    @property
    def jobs(self) -> int:
        """Simulations at once."""
        return self.config.user.search.jobs or os.cpu_count() or 1

    def relative(self, name: str, cwd: Path) -> Path:
        """A file that the user named, relative to the root of the work tree.

        Raises:
            UsageError: it is not there, or not in this repository.
        """
        path = Path(os.path.normpath(cwd.absolute() / name))
        if not path.exists():
            raise UsageError(f"no such file: {name}")
        root = self.repository.root
        for candidate, base in ((path, root), (path.resolve(), root.resolve())):
            if candidate.is_relative_to(base):
                return candidate.relative_to(base)
        raise UsageError(f"{name} is not in the repository {root}", hint="veriloop -C REPOSITORY ...")
