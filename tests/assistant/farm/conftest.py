from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from veriloop.assistant.config import FarmSettings
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.cluster import connect
from veriloop.assistant.farm.tools import tools_here


@pytest.fixture(scope="session", autouse=True)
def cache(pytestconfig, tmp_path_factory) -> Iterator[Path]:
    """The cache of this process and of the workers that it starts; Verilator's runtime outlives a run of the tests."""
    kept = getattr(pytestconfig, "cache", None)
    directory = Path(kept.mkdir("veriloop")) if kept is not None else tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VERILOOP_CACHE", str(directory))
        yield directory


@pytest.fixture(scope="session")
def tools(cache):
    return tools_here(cache, cancel=CancelToken())


@pytest.fixture(scope="module")
def farm(tools):
    """Two workers on this machine."""
    with connect("local", FarmSettings(), tools=tools, cancel=CancelToken(), workers=2) as farm:
        yield farm
