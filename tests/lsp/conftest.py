"""What the tests of the language server share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pygls")

from tests.lsp.client import Client


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that the server of a module has open."""
    return tmp_path_factory.mktemp("tree")


@pytest.fixture(scope="module")
def client(tree: Path) -> Iterator[Client]:
    """A client whose server has the tree open."""
    one = Client(tree)
    yield one
    one.close()
