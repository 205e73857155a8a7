"""The tools of this machine that judge designs."""

from __future__ import annotations

import functools
import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import hold
from veriloop.assistant.isolation.confinement import Isolation
from veriloop.assistant.verify.icarus import Icarus
from veriloop.assistant.verify.verilator import Verilator


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Verilator, the judge, and Icarus where it is installed."""

    verilator: Verilator
    icarus: Icarus | None

    @classmethod
    def find(
        cls,
        *,
        cache: Path,
        cancel: CancelToken,
        verilator: Path | None = None,
        iverilog: Path | None = None,
        compiler: Path | None = None,
        isolation: Isolation | None = None,
    ) -> Toolchain:
        """Finds the tools; the paths are those that the user's configuration names, as is how simulations are held.

        Raises:
            ToolNotFound: no Verilator.
        """
        return cls(
            Verilator.find(configured=verilator, compiler=compiler, cache=cache, cancel=cancel, isolation=isolation),
            Icarus.find(configured=iverilog, cancel=cancel, isolation=isolation),
        )

    @property
    def isolation(self) -> Isolation:
        """How code that is not trusted is held."""
        return self.verilator.isolation

    @property
    def described(self) -> tuple[tuple[str, str], ...]:
        """The versions, and what holds the code that is not trusted, for reports."""
        found = hold(self.isolation.means, network=self.isolation.network)
        return (*self.versions, ("isolation", found.means if found else "none"))

    @property
    def versions(self) -> tuple[tuple[str, str], ...]:
        """Names and versions, for reports and cache keys."""
        icarus = (("icarus", self.icarus.version),) if self.icarus else ()
        cocotb = (("cocotb", version),) if (version := _cocotb_version()) else ()
        return (("verilator", self.verilator.version), *icarus, *cocotb)


@functools.cache
def _cocotb_version() -> str:
    """That of the Python that runs this program, whose cocotb is used; empty where there is none."""
    try:
        return importlib.metadata.version("cocotb")
    except importlib.metadata.PackageNotFoundError:
        return ""
