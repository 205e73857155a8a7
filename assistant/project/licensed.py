"""Which simulator that needs a licence a command of the repository starts, told from its files; nothing is run."""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

PROGRAMS: Mapping[str, str] = {
    **dict.fromkeys(("vcs", "vlogan", "vhdlan"), "VCS"),
    **dict.fromkeys(("xrun", "xmsim", "xmvlog", "xmelab"), "Xcelium"),
    **dict.fromkeys(("ncsim", "ncelab"), "Incisive"),
    **dict.fromkeys(("vsim", "qrun", "vlog", "vcom", "vopt"), "Questa/ModelSim"),
    "dsim": "DSim",
    **dict.fromkeys(("xsim", "xelab", "xvlog"), "Vivado"),
}
"""Programs of simulators, and what people call the simulator."""
_OPTIONS: Mapping[str, str] = {
    **dict.fromkeys(("questa", "modelsim", "mti"), "Questa/ModelSim"),
    **dict.fromkeys(("riviera", "rivierapro"), "Riviera-PRO"),
    **dict.fromkeys(("ius", "incisive"), "Incisive"),
    **{"activehdl": "Active-HDL", "xcelium": "Xcelium", "vivado": "Vivado"},
    **PROGRAMS,
}
"""What cocotb, FuseSoC, VUnit and makefiles call simulators."""
_FREE = frozenset({"icarus", "iverilog", "verilator", "ghdl", "nvc"})
STARTS: Mapping[str, str] = {
    **dict.fromkeys(("questa", "modelsim", "riviera", "activehdl"), "vsim"),
    **{"xcelium": "xrun", "ius": "irun"},
}
"""Programs by which cocotb's makefiles start what they call so."""
NAMES = frozenset(_OPTIONS.values())
_CHOSEN = re.compile(r"\b(?:SIM|SIMULATOR|TOOL|VUNIT_SIMULATOR)=([\w-]+)|--(?:sim|simulator|tool)[= ]([\w-]+)")
_VUNIT = re.compile(r"\bvunit\.verilog\b|\badd_verilog_builtins\b")
"""Of Verilog, VUnit knows no simulator that is free."""
_CHOOSING = ("SIM", "SIMULATOR", "VUNIT_SIMULATOR")
"""Variables of the environment by which test runners choose."""


def licensed_simulator(command: str, root: Path, *, wanted: bool) -> str:
    """What people call the simulator that a command starts, where that needs a licence; empty for all others.

    Args:
        command: as a shell at the root runs it.
        root: of the tree.
        wanted: whether to look even where no such simulator is on the PATH.
    """
    if not wanted and not _here(os.environ.get("PATH", "")):
        return ""
    found = _told(command, root, tuple(os.environ.get(name, "") for name in _CHOOSING))
    # Aldec's simulator is started by the same names.
    place = shutil.which("vsim") if found == _OPTIONS["vsim"] else None
    return _OPTIONS["riviera"] if place and "riviera" in os.path.realpath(place).lower() else found


@functools.lru_cache(maxsize=8)
def _here(search: str) -> bool:
    return any(shutil.which(name, path=search) for name in PROGRAMS)


@functools.lru_cache(maxsize=64)
def _told(command: str, root: Path, chosen: tuple[str, ...]) -> str:
    named = [(match[1] or match[2]).lower() for match in _CHOSEN.finditer(command)]
    for one in named:
        if one in _OPTIONS or one in _FREE:
            return _OPTIONS.get(one, "")
    # Few machines have such a simulator, and few commands are looked at.
    from veriloop.assistant.project.model import Origin
    from veriloop.assistant.project.planning import Planner
    from veriloop.assistant.project.reading import Context
    from veriloop.assistant.project.tree import Tree

    tree = Tree(root)
    plan = Planner(tree, Context(tree)).line(command, Path(), Origin(path=Path(), reader="command"))
    started = {name.rpartition("/")[2] for name in (*plan.programs, *plan.tools)}
    found = [name for program, name in PROGRAMS.items() if program in started]
    if not found and not plan.tools:
        # A runner in another language: it follows its makefile's choice, or that of the environment.
        found = [name for one in (plan.simulator, *chosen) if (name := _OPTIONS.get(one.lower(), ""))]
        scripts = [run.directory / word for run in plan.runs for word in run.words if word.endswith(".py")]
        found += [_OPTIONS["vsim"] for path in scripts if _VUNIT.search(tree.text(path))]
    return next(iter(found), "")
