from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

DEV = Path(__file__).resolve().parents[2] / "dev"
HEAVY = ("pyslang", "sympy", "llama_cpp", "matplotlib", "numpy", "git", "pywellen", "multiprocessing")


def python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(DEV)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    ).stdout


def test_nothing_heavy_is_loaded_before_the_first_prompt():
    code = "import sys, veriloop.tui.app, veriloop.tui.screens.session; print(*sys.modules)"
    assert set(python(code).split()).isdisjoint(HEAVY)


def test_without_the_library_it_is_said_how_to_get_it():
    code = (
        "import argparse, importlib.util\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name: None if name == 'textual' else found(name)\n"
        "from veriloop.tui.start import run\n"
        "from veriloop.assistant.cli.session import Session\n"
        "from veriloop.assistant.errors import UsageError\n"
        "try:\n    run(argparse.Namespace(resume=None), Session())\n"
        "except UsageError as error:\n    print(error.hint)\n"
    )
    assert "pip install 'veriloop[tui]'" in python(code)
