"""A Python environment that has pytest and cocotb, and neither Veriloop nor anything else of its."""

from __future__ import annotations

import importlib.metadata
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path

from veriloop.assistant.errors import ToolFailed, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed, execute
from veriloop.assistant.isolation.confinement import Confinement, Isolation
from veriloop.assistant.verify.cocotb import INSTALL_HINT

_PACKAGES = ("cocotb", "find_libpython", "pytest", "iniconfig", "packaging", "pluggy", "pygments")
_TIMEOUT_S = 600.0


def plain_environment(directory: Path, cancel: CancelToken) -> Path:
    """Makes one in a directory that does not exist; its Python. The packages are links to those that are installed.

    Raises:
        ToolNotFound: one of them is not installed.
        ToolFailed: Veriloop can be imported in it all the same.
    """
    venv.create(directory, symlinks=True, with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = directory / "lib" / version / "site-packages"
    for name in _PACKAGES:
        _link(name, packages)
    python = directory / "bin" / "python"
    done = execute([python, "-c", "import veriloop"], cwd=directory, timeout_s=60, cancel=cancel)
    if "No module named 'veriloop'" not in done.output:
        raise ToolFailed("the environment without Veriloop has Veriloop", output=done.output)
    return python


def _link(name: str, packages: Path) -> None:
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise ToolNotFound(f"{name} is not installed", hint=INSTALL_HINT) from error
    for top in {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}:
        (packages / top).symlink_to(Path(str(distribution.locate_file(top))))


def run_pytest(
    python: Path,
    testbench: Path,
    *,
    readable: Sequence[Path],
    rtl: Path | None = None,
    timeout_s: float = _TIMEOUT_S,
    cancel: CancelToken,
) -> Completed:
    """`pytest` on a testbench in such an environment.

    Args:
        python: of the environment.
        testbench: its file; what it makes lands beside it.
        readable: where the design lies.
        rtl: another design, to be tested in its place.
        timeout_s: for all of it.
        cancel: stops it.
    """
    folder = testbench.parent
    return execute(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", testbench.name],
        cwd=folder,
        timeout_s=timeout_s,
        cancel=cancel,
        env={"RTL": str(rtl)} if rtl is not None else {},
        confine=Confinement(
            isolation=Isolation(),
            writable=(folder,),
            readable=(python.parents[1], Path(sysconfig.get_path("purelib")), *readable),
        ),
    )
