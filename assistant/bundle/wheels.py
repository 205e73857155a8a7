"""Wheels of Veriloop and of all that it needs, from where the user's pip is configured to look."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from veriloop.assistant.errors import ToolFailed, UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute

_TIMEOUT_S = 3600.0
"""llama.cpp has no wheel for most machines and is compiled: minutes."""
_NAME = re.compile(r"[^\w.-]")
_SUFFIXES = (".whl", ".tar.gz")
_GLIBC = re.compile(r"manylinux(?:_(\d+)_(\d+)|(2014|2010|1))_")
_NAMED_GLIBC = {"2014": (2, 17), "2010": (2, 12), "1": (2, 5)}
"""PEP 600: what the platforms that have a name of their own stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One package as a file."""

    path: Path
    name: str
    version: str
    licence: str
    sha256: str
    requires: frozenset[str]
    """The packages that it names, whether they are wanted here or not."""

    @property
    def plain_name(self) -> str:
        """As an index spells it."""
        return _plain(self.name)

    @property
    def glibc(self) -> tuple[int, int] | None:
        """The least version that runs it, (0, 0) if it is not compiled; none if it was built here, for that of here."""
        platforms = self.path.stem.rpartition("-")[2]
        if platforms == "any":
            return (0, 0)
        found = [
            _NAMED_GLIBC[named] if named else (int(major), int(minor))
            for major, minor, named in _GLIBC.findall(platforms)
        ]
        return min(found, default=None)


def source_of_this(named: str, cwd: Path) -> str:
    """What pip is asked for: what the user names, the checkout that this runs from, or the release of this version.

    Raises:
        UsageError: what is named is neither a wheel, a source archive nor a checkout.
    """
    if named:
        path = cwd / named
        if (path / "pyproject.toml").is_file() or (path.is_file() and path.name.endswith(_SUFFIXES)):
            return str(path.resolve())
        raise UsageError(f"{named} is no wheel, source archive or checkout of Veriloop", hint="veriloop bundle --help")
    try:
        installed = importlib.metadata.distribution("veriloop")
    except importlib.metadata.PackageNotFoundError as error:
        raise UsageError("Veriloop is not installed here", hint="veriloop bundle DIR --source CHECKOUT") from error
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    url = urlsplit(str(origin.get("url", "")))
    if url.scheme == "file" and Path(unquote(url.path)).exists():
        return unquote(url.path)
    return f"veriloop=={installed.version}"


def requirement(source: str, extras: Sequence[str]) -> str:
    """The source with its extras, as pip reads it."""
    wanted = f"[{','.join(extras)}]" if extras else ""
    name, sign, version = source.partition("==")
    return f"{name}{wanted}{sign}{version}" if sign else f"{source}{wanted}"


def collect(wanted: str, directory: Path, cancel: CancelToken) -> tuple[Wheel, ...]:
    """Has pip fetch or build every wheel.

    Args:
        wanted: as pip reads it.
        directory: where they go; it exists.
        cancel: stops pip.

    Raises:
        ToolFailed: pip does not find or build one of them.
    """
    argv = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--wheel-dir", str(directory), wanted]
    done = execute(argv, cwd=directory, timeout_s=_TIMEOUT_S, cancel=cancel)
    if not done.ok:
        errors = [line for line in done.output.splitlines() if line.startswith("ERROR")]
        why = (errors or done.output.splitlines() or ["it says nothing"])[-1]
        raise ToolFailed(f"pip makes no wheels: {why}", hint="look at pip's index: python -m pip config list")
    return tuple(map(_read, sorted(directory.glob("*.whl"))))


def _read(path: Path) -> Wheel:
    with zipfile.ZipFile(path) as archive:
        name = next(one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        about = BytesParser().parsebytes(archive.read(name), headersonly=True)
    said = about.get("License-Expression") or about.get("License") or ""
    if not said or "\n" in said:
        classes = [one for one in about.get_all("Classifier", []) if one.startswith("License ::")]
        said = classes[-1].rpartition(" :: ")[2] if classes else said.partition("\n")[0]
    return Wheel(
        path=path,
        name=about["Name"],
        version=about["Version"],
        licence=said.strip(),
        sha256=digest_of(path),
        requires=frozenset(_plain(_NAME.split(one)[0]) for one in about.get_all("Requires-Dist", [])),
    )


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def digest_of(path: Path) -> str:
    """The file's SHA-256."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
