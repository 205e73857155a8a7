"""The repositories that repairs are tested on, for the verbs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.assistant.repair.conftest import cache, clone

__all__ = ["cache", "clone"]


@pytest.fixture(scope="session")
def runtime(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for the session, with Verilator's runtime of earlier sessions, which takes long to build."""
    found = tmp_path_factory.mktemp("cache")
    kept = request.config.cache
    if kept is not None:
        built = kept.mkdir("veriloop") / "runtime"
        built.mkdir(exist_ok=True)
        (found / "runtime").symlink_to(built)
    return found
