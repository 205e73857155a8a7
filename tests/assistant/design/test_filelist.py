"""File lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.design.filelist import FileList, read_filelist
from veriloop.assistant.errors import ConfigError

ENVIRONMENT = {"RTL": "rtl", "DEEP": "rtl/deep"}


def check(root: Path, text: str, **more: str) -> FileList:
    """Reads `top.f` of a tree in which `root` is where the tools start."""
    for name, content in {"top.f": text, **more}.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    return read_filelist(root / "top.f", base=root, environment=ENVIRONMENT)


def names(root: Path, paths: tuple[Path, ...]) -> list[str]:
    return [str(path.relative_to(root)) for path in paths]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.v b.sv\nc.v", ["a.v", "b.sv", "c.v"]),
        ("a.v // b.v\n# c.v\n/* d.v\n e.v */ f.v", ["a.v", "f.v"]),
        ("a//b.v", ["a/b.v"]),
        ("\"with space.v\" 'and this.v'", ["with space.v", "and this.v"]),
        ("a.v \\\n  b.v \\\r\n c.v", ["a.v", "b.v", "c.v"]),
        ("$RTL/a.v ${RTL}/b.v $(DEEP)/c.v", ["rtl/a.v", "rtl/b.v", "rtl/deep/c.v"]),
        ("./x/../a.v a.v", ["a.v"]),
        ("-o out a.v --weird b.v -sv", ["a.v", "b.v"]),
        ("", []),
    ],
)
def test_sources(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert names(tmp_path, check(tmp_path, text).sources) == expected


def test_options(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        "+incdir+inc+more -I one -Itwo\n+define+A=1+B -DC=x=y -D D\n-y lib -v cells.v +libext+.v+.vlib\n"
        "--top-module chip\n-timescale 1ns/1ps +strange+x\n",
    )
    assert names(tmp_path, found.include_dirs) == ["inc", "more", "one", "two"]
    assert found.defines == (("A", "1"), ("B", ""), ("C", "x=y"), ("D", ""))
    assert names(tmp_path, found.library_dirs) == ["lib"]
    assert names(tmp_path, found.library_files) == ["cells.v"]
    assert found.library_extensions == (".v", ".vlib")
    assert found.toplevel == "chip"
    assert [text.rpartition("top.f:")[2] for text in found.unknown] == ["5: -timescale 1ns/1ps", "5: +strange+x"]
    assert found.design("other").toplevel == "other"


def test_nested_lists(tmp_path: Path) -> None:
    found = check(
        tmp_path, "-f sub/by_start.f\n-F sub/by_list.f\n", **{"sub/by_start.f": "a.v", "sub/by_list.f": "b.v"}
    )
    assert names(tmp_path, found.sources) == ["a.v", "sub/b.v"]
    assert names(tmp_path, found.lists) == ["top.f", "sub/by_start.f", "sub/by_list.f"]


def test_a_path_that_is_only_beside_the_list_is_taken_from_there(tmp_path: Path) -> None:
    found = check(tmp_path, "-f sub/x.f", **{"sub/x.f": "here.v", "sub/here.v": ""})
    assert names(tmp_path, found.sources) == ["sub/here.v"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"top.f": "a.v\n-f b.f", "b.f": "\n\n-f top.f"},
            "b.f:3: the file list includes itself: top.f -> b.f -> top.f",
        ),
        ({"top.f": "\n-f gone.f"}, "top.f:2: cannot read the file list"),
        ({"top.f": "a.v $NOWHERE/b.v"}, "top.f:1: the environment variable NOWHERE is not set"),
        ({"top.f": "a.v\n-y"}, "top.f:2: -y needs a value"),
        ({"top.f": 'a.v\n"b.v'}, "top.f:2: a quote is not closed"),
    ],
)
def test_errors(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check(tmp_path, files["top.f"], **{name: text for name, text in files.items() if name != "top.f"})
    assert message in raised.value.message
