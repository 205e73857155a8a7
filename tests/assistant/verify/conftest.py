"""The real tools, found once a session; Verilator's runtime is kept in pytest's own cache between sessions."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.toolchain import Toolchain


@pytest.fixture(scope="session")
def cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept: pytest.Cache | None = getattr(request.config, "cache", None)
    return kept.mkdir("veriloop") if kept is not None else tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def tools(cache: Path) -> Toolchain:
    return Toolchain.find(cache=cache, cancel=CancelToken())


@pytest.fixture(scope="session")
def verilator_alone(tools: Toolchain) -> Toolchain:
    """What a machine without Icarus has."""
    return Toolchain(tools.verilator, None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree whose path has a space."""
    path = tmp_path / "a tree"
    path.mkdir()
    return path


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    path = tmp_path / "scratch"
    path.mkdir()
    return path


@pytest.fixture
def write(root: Path) -> Callable[[str, str], Path]:
    """Writes a file of the tree and gives its path relative to the root."""

    def write(name: str, text: str) -> Path:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return Path(name)

    return write
