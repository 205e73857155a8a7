"""`veriloop.toml` and the user's configuration."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veriloop.assistant.cli.main import main
from veriloop.assistant.config import Config, load_config
from veriloop.assistant.errors import ConfigError
from veriloop.assistant.places import find_root, user_config_path


def check(root: Path, repository: str = "", user: str = "") -> Config:
    (root / "tree").mkdir(exist_ok=True)
    (root / "tree" / "veriloop.toml").write_text(repository)
    (root / "home" / "veriloop").mkdir(parents=True, exist_ok=True)
    (root / "home" / "veriloop" / "config.toml").write_text(user)
    return load_config(root / "tree", {"XDG_CONFIG_HOME": str(root / "home")})


def test_nothing_written_is_all_defaults(tmp_path: Path) -> None:
    found = load_config(tmp_path, {"XDG_CONFIG_HOME": str(tmp_path)})
    assert found.sources == {}
    assert found.repository.testbench == ()
    assert found.user.check.allow_icarus_only is False
    assert found.user.search.budget_s == 60.0


def test_everything(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        """
        [design]
        toplevel = "fifo"
        sources = ["rtl/fifo.sv", "./rtl/../rtl/mem.sv"]
        defines = { WIDTH = 8, FAST = true, NAME = "x" }
        parameters = ["DEPTH=4"]

        [[testbench]]
        sources = ["tb/fifo_tb.sv"]
        plusargs = ["+quick"]
        timeout_s = 5

        [[testbench]]
        name = "all"
        kind = "command"
        command = "make -C sim"

        [project]
        needs = ["secret/key.hex"]
        protected = ["doc/**"]
        """,
        """
        check = { allow_icarus_only = true }
        search = { budget_s = 5, jobs = 2 }
        [tools]
        verilator = "/opt/v/bin/verilator"
        """,
    )
    design = found.repository.design
    assert design.sources == (Path("rtl/fifo.sv"), Path("rtl/mem.sv"))
    assert design.defines == (("WIDTH", "8"), ("FAST", "1"), ("NAME", "x"))
    assert design.parameters == (("DEPTH", "4"),)
    assert [(each.name, each.kind, each.timeout_s) for each in found.repository.testbench] == [
        ("fifo_tb", "verilog", 5.0),
        ("all", "command", 60.0),
    ]
    assert found.user.tools.verilator == Path("/opt/v/bin/verilator")
    assert (found.user.search.budget_s, found.user.search.jobs) == (5.0, 2)
    assert found.sources["design.toplevel"] == tmp_path / "tree" / "veriloop.toml"
    assert found.sources["testbench.0.timeout_s"] == tmp_path / "tree" / "veriloop.toml"
    assert found.sources["search.jobs"] == tmp_path / "home" / "veriloop" / "config.toml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[design]\nsorces = []", "unknown key `design.sorces`, did you mean `design.sources`?"),
        ("[desing]", "unknown key `desing`, did you mean `design`?"),
        ("[[testbench]]\nzzz = 1", "unknown key `testbench.0.zzz`"),
        ("[design]\nsources = 'a.v'", "`design.sources` must be a list"),
        ("[design]\nsources = [1]", "`design.sources.0` must be a path"),
        ("[design]\ntoplevel = 1", "`design.toplevel` must be a string"),
        ("design = 1", "`design` must be a table"),
        ("testbench = [1]", "`testbench.0` must be a table"),
        ("[[testbench]]\nkind = 'magic'", "`testbench.0.kind` must be one of verilog, trace, cocotb, command"),
        ("[[testbench]]\nkind = 'trace'\nsources = ['a.v']", 'kind "trace" needs `oracle`'),
        ("[[testbench]]", 'kind "verilog" needs `sources`'),
        ("[[testbench]]\nsources = ['a.v']\ntimeout_s = 0", "`timeout_s` must be above 0"),
        ("[[testbench]]\nsources = ['a.v']\ntimeout_s = nan", "`timeout_s` must be above 0"),
        ("[[testbench]]\nsources = ['a.v']\ntimeout_s = true", "`testbench.0.timeout_s` must be a number"),
        ("[[testbench]]\nsources = ['a.v']\npass_pattern = '('", "`pass_pattern` is no regular expression"),
        ("[[testbench]]\nsources = ['a.v']\n[[testbench]]\nsources = ['a.v']", "two testbenches are called `a`"),
        ("[design]\nsources = ['../x.v']", "../x.v lies outside the tree"),
        ("[design]\nsources = ['/etc/x.v']", "/etc/x.v lies outside the tree"),
        ("[design]\nsources = ['out/x.v']", "out/x.v lies outside the tree"),
        ("[project]\nneeds = ['a/../../x']", "a/../../x lies outside the tree"),
        ("[tools]\nverilator = '/tmp/x'", "`[tools]` may not stand here"),
        ("[models]\nx = 1", "`[models]` may not stand here"),
        ("[search]\njobs = 1", "`[search]` may not stand here"),
        ("[cache]\nlimit_mb = 1", "`[cache]` may not stand here"),
        ("[licences]\nhosts = ['27000@a']", "`[licences]` may not stand here"),
        ("[design", "veriloop.toml: "),
        ("x = " + "[" * 5000, "veriloop.toml: "),
    ],
)
def test_repository_errors(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "out").symlink_to(tmp_path)
    with pytest.raises(ConfigError) as raised:
        check(tmp_path, text)
    assert message in raised.value.message
    assert str(tmp_path / "tree" / "veriloop.toml") in raised.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[search]\nbudget_s = -1", "`search.budget_s` must be above 0"),
        ("[search]\njobs = -1", "`search.jobs` must not be negative"),
        ("[cache]\nlimit_mb = -1", "`cache.limit_mb` must not be negative"),
        ("[search]\njobs = 1.5", "`search.jobs` must be a whole number"),
        ("[check]\nallow_icarus_only = 1", "`check.allow_icarus_only` must be true or false"),
        ("[licences]\nvariables = ['A=b']", '`licences.variables`: "A=b" is no name of a variable'),
        ("[licences]\nhosts = ['lic1']", '`licences.hosts`: "lic1" is not PORT@HOST'),
        ("[licences]\nhosts = '27000@lic1'", "`licences.hosts` must be a list"),
        ("[licenses]\nhosts = []", "unknown key `licenses`, did you mean `licences`?"),
        ("[design]", "unknown key `design`"),
    ],
)
def test_user_errors(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check(tmp_path, user=text)
    assert message in raised.value.message


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "veriloop.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_config(tmp_path, {"HOME": str(tmp_path)})


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["sources", "kind", "x"]), inner),
    )
)
def test_any_value_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    root = tmp_path_factory.mktemp("config")
    with contextlib.suppress(ConfigError):
        check(root, f"[design]\nsources = {json.dumps(value)}\ndefines = {json.dumps(value)}\n")


def test_roots(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    assert find_root(inner) == tmp_path
    (tmp_path / "a" / "veriloop.toml").touch()
    assert find_root(inner) == tmp_path / "a"
    assert user_config_path({"HOME": "/h", "XDG_CONFIG_HOME": "relative"}) == Path("/h/.config/veriloop/config.toml")


def test_the_verb_names_each_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check(tmp_path, '[design]\ntoplevel = "fifo"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    assert main(["-C", str(tmp_path / "tree"), "config"]) == 0
    lines = {line.partition(" ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["design.toplevel"].endswith("veriloop.toml")
    assert lines["search.jobs"].endswith("# default")
    (tmp_path / "tree" / "veriloop.toml").write_text("[nonsense]\n")
    assert main(["-C", str(tmp_path / "tree"), "config"]) == 2
