"""The directory that is carried over: wheels, models, digests, SBOM, and what to do with them."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.bundle.sbom import ModelFile, sbom
from veriloop.assistant.bundle.wheels import Wheel, collect, digest_of, requirement
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, Run, Stage
from veriloop.models.bundled import Bundled, bundled
from veriloop.models.store import Installed

WHEELS, MODELS = "wheels", "models"
SUMS, SBOM, SCRIPT, READ_ME = "SHA256SUMS", "sbom.cdx.json", "install.sh", "INSTALL.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What was written."""

    directory: Path
    wheels: tuple[Wheel, ...]
    models: tuple[str, ...]
    size_bytes: int


def write_bundle(
    directory: Path, source: str, extras: Sequence[str], models: Sequence[Installed], cancel: CancelToken
) -> Run[Bundle]:
    """Writes a bundle.

    Args:
        directory: where; must not be there yet, or be empty.
        source: Veriloop, as pip is asked for it.
        extras: of Veriloop.
        models: of this machine that go along, beside the one in the package.
        cancel: stops it.

    Raises:
        UsageError: the directory holds something, or cannot be written.
        ToolFailed: pip fails. Nothing is left behind.
    """
    try:
        if directory.exists() and any(directory.iterdir()):
            raise UsageError(f"{directory} is not empty", hint="veriloop bundle NEW_DIR")
        directory.mkdir(parents=True, exist_ok=True)
        (directory / WHEELS).mkdir()
    except OSError as error:
        raise UsageError(f"{directory} cannot be written: {error.strerror}") from error
    try:
        yield Stage("collecting wheels; what has none for this machine is built")
        wheels = collect(requirement(source, extras), directory / WHEELS, cancel)
        names = []
        for model in models:
            yield Stage(f"copying {model.name}")
            (directory / MODELS).mkdir(exist_ok=True)
            shutil.copyfile(model.path, directory / MODELS / f"{model.name}.gguf")
            names.append(model.name)
        _describe(directory, wheels, models, extras)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    return Bundle(directory=directory, wheels=wheels, models=tuple(names), size_bytes=size)


def _describe(directory: Path, wheels: Sequence[Wheel], models: Sequence[Installed], extras: Sequence[str]) -> None:
    along: list[Bundled | Installed] = [*models]
    if own := bundled():
        along.insert(0, own)
    files = [
        ModelFile(name=one.name, sha256=one.sha256, licence=one.licence, description=one.description) for one in along
    ]
    (directory / SBOM).write_text(sbom(wheels, files), encoding="utf-8")
    what = requirement("veriloop", extras)
    added = "".join(f'"$target/bin/veriloop" models add "models/{one.name}.gguf"\n' for one in models)
    needed = _needed(wheels)
    script = directory / SCRIPT
    text = _SCRIPT.replace("WHAT", what).replace("ADDED", added)
    script.write_text(text.replace("NEEDED", " ".join(map(shlex.quote, needed))), encoding="utf-8")
    script.chmod(0o755)
    python, machine, glibc, why = needed
    needs = f"Python {python}, {machine}" + (f", glibc {glibc} or later{why}" if glibc else "")
    (directory / READ_ME).write_text(_READ_ME.replace("NEEDS", needs), encoding="utf-8")
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    lines = [f"{digest_of(path)}  {path.relative_to(directory).as_posix()}\n" for path in paths]
    with (directory / SUMS).open("w", encoding="utf-8") as sums:
        sums.writelines(lines)
        sums.flush()
        os.fsync(sums.fileno())


def _needed(wheels: Sequence[Wheel]) -> tuple[str, str, str, str]:
    """What the other machine has to have: Python, architecture, glibc (empty where here is none), and why that one."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    name, here = platform.libc_ver()
    if name != "glibc":
        return python, platform.machine(), "", ""
    built = [wheel.name for wheel in wheels if wheel.glibc is None]
    if built:
        return python, platform.machine(), here, f" (that of the machine that built {', '.join(built)})"
    least = max((wheel.glibc for wheel in wheels if wheel.glibc is not None), default=(0, 0))
    return python, platform.machine(), ".".join(map(str, least)), ""


_SCRIPT = """#!/bin/sh
# Installs Veriloop from this directory alone into a new environment: ./install.sh DIR
set -eu
[ $# -eq 1 ] || { echo "usage: $0 DIR" >&2; exit 2; }
case $1 in /*) target=$1 ;; *) target=$PWD/$1 ;; esac
cd "$(dirname "$0")"
sha256sum --check --quiet --strict SHA256SUMS
python=${PYTHON:-python3}
command -v "$python" > /dev/null || { echo "there is no $python here: PYTHON=/path/to/python3 $0 DIR" >&2; exit 3; }
"$python" - NEEDED << 'END'
import platform, sys

python, machine, glibc, why = sys.argv[1:]
here = ".".join(map(str, sys.version_info[:2]))
if here != python:
    sys.exit("made for Python %s, here it is %s: PYTHON=/path/to/python%s ./install.sh DIR" % (python, here, python))
if platform.machine() != machine:
    sys.exit("made for %s, here it is %s: make the bundle on such a machine" % (machine, platform.machine()))
found = platform.libc_ver()[1] or "0"
if glibc and [int(part) for part in found.split(".")] < [int(part) for part in glibc.split(".")]:
    hint = "make the bundle on a machine as old as this one"
    sys.exit("made for glibc %s%s, here it is %s: %s" % (glibc, why, found, hint))
END
"$python" -m venv "$target"
"$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --find-links wheels 'WHAT'
ADDED"$target/bin/veriloop" doctor || true
echo "installed: $target/bin/veriloop"
"""

_READ_ME = """# Veriloop for a machine without a network

Made for: NEEDS. A C++20 compiler (g++ 10 or later, or clang++ 14 or later) and git have to be there already;
`veriloop doctor` says what else is of use.

    ./install.sh ~/veriloop            # looks at the digests, makes an environment, installs from ./wheels alone
    ~/veriloop/bin/veriloop doctor
    ~/veriloop/bin/veriloop doctor --airgap

`PYTHON=/path/to/python3` takes another Python of the same version. The model that comes with Veriloop lies in its
wheel; those in `models/` are added by the script. `SHA256SUMS` holds the digest of every file, `sbom.cdx.json` says
what is in here (CycloneDX 1.6). As a hook without a network: the id `veriloop-check-system` in
`.pre-commit-config.yaml`.
"""
