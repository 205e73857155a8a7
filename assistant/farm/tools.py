"""What a machine's verdicts depend on: Veriloop itself and every tool that it runs."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import platform
from pathlib import Path

from veriloop.assistant.config import ToolSettings, load_config
from veriloop.assistant.errors import ToolError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.job import Tools
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.verify.build import Compiler
from veriloop.assistant.verify.toolchain import Toolchain


def tools_here(cache: Path, *, cancel: CancelToken, configured: ToolSettings | None = None) -> Tools:
    """Names and versions on this machine; what is missing says so, and is no error.

    Args:
        cache: where what can be made again is kept.
        cancel: stops it.
        configured: the programs that the user's configuration names.
    """
    tools = configured or ToolSettings()
    found = [("veriloop", _veriloop()), ("python", platform.python_version())]
    try:
        toolchain = Toolchain.find(
            cache=cache, cancel=cancel, verilator=tools.verilator, iverilog=tools.iverilog, compiler=tools.cxx
        )
        found += toolchain.versions
    except ToolError as error:
        found.append(("verilator", f"missing ({error.message})"))
    try:
        found.append(("compiler", Compiler.find(tools.cxx, cancel).version))
    except ToolError:
        found.append(("compiler", "missing"))
    return tuple(found)


@functools.cache
def _veriloop() -> str:
    """A digest of Veriloop's own modules: two checkouts of one version may differ."""
    read = hashlib.sha256()
    for package in ("veriloop.assistant", "veriloop.models"):
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            continue
        root = Path(spec.submodule_search_locations[0])
        for path in sorted(root.rglob("*.py")):
            read.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return read.hexdigest()[:16]


def toolchain_here(cancel: CancelToken) -> Toolchain:
    """The simulators of this machine, by the user's configuration on it; what a job runs."""
    user = load_config(Path.cwd()).user
    return Toolchain.find(
        cache=cache_home(),
        cancel=cancel,
        verilator=user.tools.verilator,
        iverilog=user.tools.iverilog,
        compiler=user.tools.cxx,
        isolation=user.held,
    )
