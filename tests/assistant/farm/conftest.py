from __future__ import annotations

import pytest

from veriloop.assistant.config import FarmSettings
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.cluster import connect
from veriloop.assistant.farm.tools import tools_here
from veriloop.assistant.repository.private import cache_home


@pytest.fixture(scope="session")
def tools():
    return tools_here(cache_home(), cancel=CancelToken())


@pytest.fixture(scope="module")
def farm(tools):
    """Two workers on this machine."""
    with connect("local", FarmSettings(), tools=tools, cancel=CancelToken(), workers=2) as farm:
        yield farm
