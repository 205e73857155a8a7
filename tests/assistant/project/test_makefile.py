"""Makefiles as text, held against GNU make where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.assistant.project.conftest import write
from veriloop.assistant.project.makefile import Makefile
from veriloop.assistant.project.tree import Tree

VARIABLES = r"""
A = one
B := $(A) two
A = three
C ?= c
C ?= other
D += x
D += y
E = $(B:two=TWO) $(patsubst %.v,%.o,a.v b.sv) $(D:%=[%])
F := $(subst a,b,banana) $(strip   a   b  ) $(sort c a b a)
G := $(filter %.v,a.v b.c c.v) $(filter-out %.v,a.v b.c)
H := $(dir src/a.v) $(notdir src/a.v) $(basename src/a.v) $(suffix src/a.v)
I := $(addprefix -I,x y) $(addsuffix .v,x y)
J := $(foreach v,1 2 3,<$(v)>)
K := $(if $(A),yes,no) $(if ,yes,no) $(or ,,z) $(and a,b)
twice = $(1)$(1)-$(2)
L := $(call twice,ab,c)
M := $(word 2,a b c) $(words a b c) $(firstword a b) $(lastword a b)
N := $(wildcard rtl/*.v)
ifeq ($(A),three)
O = first
else ifeq ($(A),two)
O = second
else
O = third
endif
ifneq "$(A)" "three"
P = no
else
P = yes
endif
ifdef NOTHING
Q = defined
else
Q = undefined
endif
define R
one
two
endef
S = $$dollar \
    joined
T := $(findstring b,abc)$(findstring z,abc)
U := $(shell echo $$(( 3 * 4 + 1 ))) $(shell pwd | wc -l)
V = a # a comment
"""
NAMES = list("ABCDEFGHIJKLMNOPQSTV")


def values(root: Path, names: list[str]) -> dict[str, str]:
    makefile = Makefile(Tree(root), Path("Makefile"))
    return {name: makefile.expand(f"$({name})") for name in names}


@pytest.mark.needs("make")
def test_variables_are_those_of_make(tmp_path: Path) -> None:
    printing = "".join(f"$(info {name}=[$({name})])\n" for name in NAMES) + "all:\n"
    write(tmp_path, {"Makefile": VARIABLES + printing, "rtl/b.v": "", "rtl/a.v": ""})
    make = shutil.which("make")
    assert make is not None
    printed = subprocess.run([make, "-s"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    expected = dict(line[:-1].split("=[", 1) for line in printed.splitlines() if "=[" in line)
    found = values(tmp_path, NAMES)
    found["N"] = " ".join(sorted(found["N"].split()))
    expected["N"] = " ".join(sorted(expected["N"].split()))
    assert found == expected


def test_shell_calls_are_answered_only_where_they_have_no_effect(tmp_path: Path) -> None:
    write(tmp_path, {"Makefile": VARIABLES + "X := $(shell touch made; echo ran)\n"})
    makefile = Makefile(Tree(tmp_path), Path("Makefile"))
    assert makefile.expand("$(U)").split() == ["13"]
    assert makefile.expand("$(X)") == ""
    assert not (tmp_path / "made").exists()
    assert "touch made; echo ran" in makefile.unknown


PLANNED = """
SRC = rtl/a.v rtl/b.v
TOP ?= tb
all: sim
build/%.vvp: tb/%.v $(SRC) | build
\tiverilog -o $@ -s $* $^
build:
\tmkdir -p $@
sim: build/$(TOP).vvp
\t@echo running $<
\t-vvp $<
.PHONY: sim
lint: $(SRC) ; verilator --lint-only $^
"""


@pytest.mark.needs("make")
def test_a_plan_is_what_make_would_run(tmp_path: Path) -> None:
    write(tmp_path, {"Makefile": PLANNED, "rtl/a.v": "", "rtl/b.v": "", "tb/tb.v": "", "tb/other.v": ""})
    make = shutil.which("make")
    assert make is not None
    for target, overrides in (("all", {}), ("sim", {"TOP": "other"}), ("lint", {})):
        words = [f"{name}={value}" for name, value in overrides.items()]
        # The tests may themselves run below make, which then says what it enters.
        command = [make, "-n", "--no-print-directory", target, *words]
        printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        plan = Makefile(Tree(tmp_path), Path("Makefile"), overrides=overrides).plan(target)
        assert sorted(text for _, text in plan) == sorted(printed.splitlines())


def test_includes_targets_and_what_is_missing(tmp_path: Path) -> None:
    files = {
        "sim/Makefile": "include ../common.mk\n-include gone.mk\n"
        "include $(shell cocotb-config --makefiles)/Makefile.sim\n"
        "test: a.vvp firmware.hex\n\tvvp $<\na.vvp: $(SRCS)\n\tiverilog -o $@ $^\n",
        "common.mk": "ROOT := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))\nSRCS = $(ROOT)rtl/a.v\n",
        "rtl/a.v": "",
    }
    tree = Tree(write(tmp_path, files))
    makefile = Makefile(tree, Path("sim/Makefile"))
    assert makefile.expand("$(SRCS)") == str(tree.root / "rtl/a.v")
    assert makefile.unread == ["gone.mk", "$cocotb/Makefile.sim"]
    assert makefile.targets() == ["test", "a.vvp"]
    assert makefile.default_target == "test"
    assert makefile.needs("test") == {"firmware.hex", str(tree.root / "rtl/a.v")}


@pytest.mark.parametrize(
    "text",
    [
        "%.o: %.o.o\n\tcc $<\nall: a.o\n",
        "A = $(B)\nB = $(A)\nall: $(A)\n\techo $(A)\n",
        "include Makefile\nall:\n\techo x\n",
        "all: all\n\techo x\n",
        "ifeq (\nall:\n\techo\nendif\nelse\nendif\n",
        "$(\nall: $(foo\n\t$(bar $(\n",
        "define X\nno end\nall:\n",
        "\x00\xff" * 20,
    ],
)
def test_a_strange_makefile_ends(tmp_path: Path, text: str) -> None:
    makefile = Makefile(Tree(write(tmp_path, {"Makefile": text})), Path("Makefile"))
    for target in makefile.targets():
        list(makefile.plan(target))
        makefile.needs(target)
