"""Recorded waves that are broken, or made to break whoever reads them."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAD = b"$timescale 1ns $end\n$scope module top $end\n$var wire 1 ! a $end\n$upscope $end\n$enddefinitions $end\n"
MALFORMED = {
    "empty": b"",
    "cut off": HEAD[:60],
    "without definitions": b"#0\n0!\n",
    "a value of nothing": HEAD + b"#0\n0?\n1\nb\n",
    "time that is no number": HEAD + b"#zz\n0!\n",
    "time beyond 64 bits": HEAD + b"#99999999999999999999999999\n1!\n",
    "time that goes back": HEAD + b"#10\n1!\n#5\n0!\n",
    "a width of a billion bits": HEAD.replace(b"wire 1 ", b"wire 1000000000 ") + b"#0\nb1 !\n",
    "a width that is no number": HEAD.replace(b"wire 1 ", b"wire -1 ") + b"#0\nb1 !\n",
    "a million scopes": b"$scope module a $end\n" * 100_000 + HEAD,
    "another time scale": HEAD.replace(b"1ns", b"7parsec") + b"#0\n1!\n",
    "binary": HEAD + bytes(range(256)) * 40,
    "not text at all": b"\xff\xfe" * 5000,
    "a string without end": HEAD + b"#0\ns" + b"x" * 1_000_000,
}


READ = """
import resource, sys
from pathlib import Path
from veriloop.assistant.verify.wave import Wave
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2_000_000_000, used + 2_000_000_000))
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
sys.exit(0 if isinstance(Wave.read(Path(sys.argv[1])).changes, dict) else 8)
"""


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.parametrize("suffix", [".vcd", ".fst"])
def test_a_malformed_record_is_read_as_far_as_it_goes(tmp_path, content, suffix):
    """In a process of its own with a limit on memory: what is read must neither end nor fill it.

    A fresh one: the library's threads, which an earlier test may have started here, are not there after a fork.
    """
    path = tmp_path / f"record{suffix}"
    path.write_bytes(content)
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
