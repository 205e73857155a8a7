"""The directory that is carried over: wheels, models, digests, SBOM, and what to do with them."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import sysconfig
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
    script = directory / SCRIPT
    script.write_text(_SCRIPT.replace("WHAT", what).replace("ADDED", added), encoding="utf-8")
    script.chmod(0o755)
    needs = f"Python {sys.version_info[0]}.{sys.version_info[1]}, {sysconfig.get_platform()}{_libc()}"
    (directory / READ_ME).write_text(_READ_ME.replace("NEEDS", needs), encoding="utf-8")
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    lines = [f"{digest_of(path)}  {path.relative_to(directory).as_posix()}\n" for path in paths]
    with (directory / SUMS).open("w", encoding="utf-8") as sums:
        sums.writelines(lines)
        sums.flush()
        os.fsync(sums.fileno())


def _libc() -> str:
    name, version = platform.libc_ver()
    return f", {name} {version} or later" if name else ""


_SCRIPT = """#!/bin/sh
# Installs Veriloop from this directory alone into a new environment: ./install.sh DIR
set -eu
[ $# -eq 1 ] || { echo "usage: $0 DIR" >&2; exit 2; }
case $1 in /*) target=$1 ;; *) target=$PWD/$1 ;; esac
cd "$(dirname "$0")"
sha256sum --check --quiet --strict SHA256SUMS
"${PYTHON:-python3}" -m venv "$target"
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
