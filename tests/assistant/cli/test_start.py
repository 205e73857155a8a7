"""What a command imports before it knows whether there is anything to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

DEV = Path(__file__).resolve().parents[3] / "dev"


def test_a_hook_with_nothing_new_loads_nothing_that_judges():
    code = "import sys, veriloop.assistant.cli.check; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(DEV)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert set(done.stdout.split()).isdisjoint({"pyslang", "tree_sitter", "veriloop.assistant.gate"})
