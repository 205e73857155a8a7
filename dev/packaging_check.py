"""Builds the packages, looks what is in them and tries the wheel in an empty environment. Run by `make package`.

A wheel that is built from a checkout can be complete while the one built from the source archive lacks three of the
four packages (the links in dev/ are met first), so the wheel that is tried here is built from the source archive.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

PACKAGES = ("assistant", "lsp", "tui", "models")
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Raises at the first thing that is not as it should be."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    with tempfile.TemporaryDirectory(prefix="veriloop-packaging-") as name:
        work = Path(name)
        run(sys.executable, "-m", "build", "--outdir", work, ROOT)
        check_source_archive(only(work, "*.tar.gz"))
        wheel = only(work, "*.whl")
        check_wheel(wheel)
        check_installed(wheel, work / "venv", version)
    print(f"packaging: veriloop {version} builds, installs and starts")


def check_source_archive(path: Path) -> None:
    """The source archive holds the four packages and the tests."""
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    needed = {"LICENSE", "README.md", "pyproject.toml", *(f"{package}/__init__.py" for package in PACKAGES)}
    needed |= {path.relative_to(ROOT).as_posix() for path in model_files()}
    expect(needed <= names, f"the source archive lacks {sorted(needed - names)}")
    expect(any(name.startswith("tests/") for name in names), "the source archive lacks the tests")


def check_wheel(path: Path) -> None:
    """The wheel holds every module of the four packages, typed, and nothing beside them."""
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    inside = {name.split("/")[1] for name in names if name.startswith("veriloop/")}
    expect(inside == set(PACKAGES), f"veriloop/ in the wheel holds {sorted(inside)}")
    beside = {name for name in names if not name.startswith("veriloop/") and ".dist-info/" not in name}
    expect(not beside, f"the wheel holds {sorted(beside)}")
    modules = {path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    needed = {f"veriloop/{path.as_posix()}" for path in modules} | {f"veriloop/{name}/py.typed" for name in PACKAGES}
    needed |= {f"veriloop/{path.relative_to(ROOT).as_posix()}" for path in model_files()}
    expect(needed <= names, f"the wheel lacks {sorted(needed - names)}")


def check_installed(wheel: Path, environment: Path, version: str) -> None:
    """The command starts in an environment that holds nothing else."""
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    run(python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", wheel)
    veriloop = environment / "bin" / "veriloop"
    answer = run(veriloop, "--version").strip()
    expect(answer == f"veriloop {version}", f"--version says {answer}")
    run(veriloop, "--help")
    for verb in run(python, "-c", "from veriloop.assistant.cli.main import VERBS; print(*VERBS)").split():
        run(veriloop, verb, "--help")
    run(veriloop, "models", "verify", "veriloop-small")
    doctor = json.loads(run(veriloop, "doctor", "--json"))
    expect(doctor["ready"] is True, f"doctor says {doctor}")


def model_files() -> list[Path]:
    """The files of the model that comes with the packages."""
    found = sorted((ROOT / "models" / "bundled").iterdir())
    expect({path.suffix for path in found} == {".gguf", ".json", ".md"}, f"models/bundled/ holds {found}")
    return found


def only(directory: Path, pattern: str) -> Path:
    """The one file that matches."""
    (path,) = directory.glob(pattern)
    return path


def run(*argv: str | Path) -> str:
    """Runs a program away from the checkout and returns what it wrote to stdout."""
    done = subprocess.run([str(word) for word in argv], cwd="/", stdout=subprocess.PIPE, text=True, check=False)
    expect(done.returncode == 0, f"{argv} ended with {done.returncode}: {done.stdout}")
    return done.stdout


def expect(condition: bool, message: str) -> None:
    """`assert`, also under `python -O`."""
    if not condition:
        raise SystemExit(f"packaging: {message}")


if __name__ == "__main__":
    main()
