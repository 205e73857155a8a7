"""What a change reaches: files, designs and tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.change.facts import Facts
from veriloop.assistant.change.impact import Impact, affected_designs, impact
from veriloop.assistant.change.tests import tests_of as chosen_tests
from veriloop.assistant.config import Config, RepositoryConfig, TestbenchSettings, UserConfig
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.project import Project
from veriloop.assistant.design.settings import DesignSettings
from veriloop.assistant.verify.testbench import CocotbTestbench, CommandTest, TraceTestbench, VerilogTestbench

FILES = {
    "rtl/inner.v": b"module inner(input a, output y); assign y = ~a; endmodule\n",
    "rtl/outer.v": b"module outer(input a, output y); inner i(.a(a), .y(y)); endmodule\n",
    "rtl/apart.v": b"module apart(input a, output y); assign y = a; endmodule\n",
    "tb/outer_tb.v": b"module outer_tb; outer o(); initial $finish; endmodule\n",
    "tb/apart_tb.v": b"module apart_tb; apart o(); initial $finish; endmodule\n",
    "README.md": b"text\n",
    "list.f": b"rtl/inner.v\n",
    "py/test_outer.py": b"pass\n",
    "golden.csv": b"time,y\n0,1\n",
}


@pytest.fixture
def root(tmp_path):
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


def changed(root: Path, **versions: bytes | None) -> Impact:
    """The impact of files that become something else; `__` stands for `/`, and none deletes."""
    contents = {}
    for name, after in versions.items():
        path = next((one for one in FILES if one.replace("/", "__").replace(".", "_") == name), name)
        contents[path] = (FILES.get(path, b""), after or b"")
        if after is None:
            (root / path).unlink()
        else:
            (root / path).write_bytes(after)
    return impact(root, contents, frozenset(FILES))


def tops(found: Impact, root: Path, settings: DesignSettings | None = None) -> list[str]:
    return sorted(one.toplevel for one in affected_designs(found, Project.load(root, settings)))


def names(found: Impact, root: Path, *, everything: bool = False) -> list[str]:
    config = Config(root=root, repository=RepositoryConfig(), user=UserConfig())
    chosen = chosen_tests(Project.load(root), config, found, trusted_at=root, everything=everything)
    assert chosen.found
    return sorted(one.name for one in chosen.testbenches)


def test_an_inner_module_reaches_what_instantiates_it(root):
    found = changed(root, rtl__inner_v=FILES["rtl/inner.v"].replace(b"~a", b"a"))
    assert found.affected == {"rtl/inner.v", "rtl/outer.v", "tb/outer_tb.v"}
    assert (tops(found, root), names(found, root)) == (["outer"], ["outer_tb"])
    assert names(found, root, everything=True) == ["apart_tb", "outer_tb"]


def test_a_comment_reaches_nothing(root):
    found = changed(root, rtl__inner_v=b"// said\n" + FILES["rtl/inner.v"], README_md=b"other\n")
    assert (found.changed, found.layout_only, found.affected) == (("rtl/inner.v",), ("rtl/inner.v",), frozenset())
    assert (tops(found, root), names(found, root)) == ([], [])


def test_a_file_that_goes_or_comes_reaches_by_its_names(root):
    assert "rtl/outer.v" in changed(root, rtl__inner_v=None).affected
    found = changed(root, **{"rtl/other.v": b"module inner(input a, output y); assign y = a; endmodule\n"})
    assert {"rtl/other.v", "rtl/outer.v"} <= found.affected


def test_what_was_read_once_is_read_from_the_cache(root, tmp_path_factory, monkeypatch):
    cache = tmp_path_factory.mktemp("cache")
    edit = {"rtl/inner.v": (FILES["rtl/inner.v"], FILES["rtl/inner.v"].replace(b"~a", b"!a"))}
    (root / "rtl/inner.v").write_bytes(edit["rtl/inner.v"][1])
    first = impact(root, edit, frozenset(FILES), Facts.of(cache, root))
    monkeypatch.setattr("veriloop.assistant.change.facts.file_facts", None)
    again = impact(root, edit, frozenset(FILES), Facts.of(cache, root))
    assert again.affected == first.affected == {"rtl/inner.v", "rtl/outer.v", "tb/outer_tb.v"}
    (kept,) = (cache / "facts").iterdir()
    kept.write_bytes(b'{"schema": 1, "files": {"')
    monkeypatch.undo()
    assert impact(root, edit, frozenset(FILES), Facts.of(cache, root)).affected == first.affected


def test_modules_that_many_tests_call_alike_join_nothing(root):
    for path, content in {
        "tb/a/testbench.v": b"module testbench; inner i(); endmodule\n",
        "tb/b/testbench.v": b"module testbench; apart i(); endmodule\n",
        "tb/b/top_tb.v": b"module top_tb; testbench t(); endmodule\n",
        "rtl/named.v": b"module named(input testbench, output y); assign y = testbench; endmodule\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    found = changed(root, rtl__inner_v=b"module inner(input a, output y); assign y = a; endmodule\n")
    assert found.affected == {"rtl/inner.v", "rtl/outer.v", "tb/outer_tb.v", "tb/a/testbench.v"}
    found = changed(root, rtl__apart_v=b"module apart(input a, output y); assign y = ~a; endmodule\n")
    assert found.affected >= {"tb/b/testbench.v", "tb/b/top_tb.v"}


def test_a_file_list_reaches_everything(root):
    found = changed(root, list_f=b"rtl/outer.v\n")
    assert found.everything == "list.f says what is built"
    assert names(found, root) == ["apart_tb", "outer_tb"]
    assert tops(found, root) == ["apart", "outer"]


def test_the_design_that_is_declared_is_the_one_to_look_at(root):
    found = changed(root, rtl__inner_v=FILES["rtl/inner.v"].replace(b"~a", b"a"))
    settings = DesignSettings(toplevel="inner", sources=(Path("rtl/inner.v"),))
    assert tops(found, root, settings) == ["inner", "outer"]


def test_what_can_come_out_otherwise(root):
    outer = Design(toplevel="outer", sources=(Path("rtl/inner.v"), Path("rtl/outer.v")))
    cocotb = CocotbTestbench(name="c", design=outer, module="test_outer", search_path=(Path("py"),))
    trace = TraceTestbench(name="t", design=outer, oracle=Path("golden.csv"), output="o.csv")
    apart = VerilogTestbench(name="a", design=Design(toplevel="apart", sources=(Path("rtl/apart.v"),)))
    command = CommandTest(name="m", command="make")
    found = changed(root, py__test_outer_py=b"assert 1\n")
    assert [found.judges(one) for one in (cocotb, trace, apart, command)] == [True, False, False, True]
    found = changed(root, golden_csv=b"time,y\n0,0\n")
    assert [found.judges(one) for one in (cocotb, trace, apart, command)] == [False, True, False, True]
    found = changed(root, README_md=b"x")
    assert not any(found.judges(one) for one in (cocotb, trace, apart, command))


def test_declared_tests_are_those_that_the_change_reaches(root):
    declared = (
        TestbenchSettings(name="outer", sources=(Path("tb/outer_tb.v"),)),
        TestbenchSettings(name="apart", sources=(Path("tb/apart_tb.v"),)),
    )
    config = Config(root=root, repository=RepositoryConfig(testbench=declared), user=UserConfig())
    found = changed(root, rtl__apart_v=FILES["rtl/apart.v"].replace(b"= a", b"= ~a"))
    chosen = chosen_tests(Project.load(root), config, found, trusted_at=root, everything=False)
    assert [one.name for one in chosen.testbenches] == ["apart"]
    assert found.covers(chosen.testbenches[0], "rtl/apart.v")
    assert not found.covers(chosen.testbenches[0], "rtl/inner.v")
