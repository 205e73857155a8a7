"""What a repository's history gives to learn from, and what must not come in."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.assistant.repair.conftest import COUNTER
from veriloop.assistant.cli.main import main
from veriloop.assistant.events import CancelToken
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.training.lm.texts import repair_text, texts
from veriloop.assistant.training.mine.filters import Seen, impersonal, refusal
from veriloop.assistant.training.mine.rows import is_fix, line_edits, mined
from veriloop.assistant.training.row import LineEdit

pytestmark = pytest.mark.needs("git")

ABOUT = b"// Copyright 2024 us\n// Counts enabled cycles and wraps at TOP.\n"
OTHER = b"""module gate (input a, input b, output y);
  // both have to be there
  assign y = a & b;
endmodule
"""


def test_fixes_and_modules_of_a_repository(clone, tmp_path, capsys):
    clone.commit({"rtl/counter.v": ABOUT + COUNTER.replace(b"q + 1", b"q + 2"), "rtl/copy.v": OTHER})
    clone.commit({"rtl/counter.v": ABOUT + COUNTER, "tb/counter_tb.v": b"module tb; endmodule\n"})
    clone.git("commit", "--amend", "-qm", "Fix the counter's step")
    clone.commit({"rtl/again.v": OTHER.replace(b"  //", b"  // really,"), "rtl/gpl.v": b"// GPLv3\n" + COUNTER})
    repository = Repository.open(clone.root, cache=tmp_path / "cache")
    dropped: Counter[str] = Counter()
    rows = list(mined(repository, most_commits=50, any_licence=False, dropped=dropped, cancel=CancelToken()))
    modules = {row.top: row for row in rows if row.task == "module"}
    assert set(modules) == {"counter", "gate"}
    assert modules["counter"].spec.module == "Counts enabled cycles and wraps at TOP. counts up to TOP and starts again"
    assert [note.text for note in modules["gate"].spec.blocks] == ["really, both have to be there"]
    (fix,) = [row for row in rows if row.task == "repair"]
    (edit,) = fix.edits
    assert (edit.buggy[0].strip(), edit.fixed[0].strip()) == ("else q <= q + 2;", "else q <= q + 1;")
    assert fix.slip == "Fix the counter's step"
    assert repair_text(fix) is not None
    assert dropped == {"near copy": 1, "licence: GPL": 1}
    assert main(["train", "data", "--mine", str(clone.root), "--out", str(tmp_path / "rows"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["modules"], said["fixes"]) == (2, 1)
    assert main(["train", "data", "--mine", str(tmp_path / "none"), "--out", str(tmp_path / "rows")]) == 2


def test_texts_of_a_module_without_words_ask_for_no_module(clone, tmp_path):
    import random

    clone.commit({"rtl/gate.v": OTHER})
    repository = Repository.open(clone.root, cache=tmp_path / "cache")
    (row,) = mined(repository, most_commits=9, any_licence=False, dropped=Counter(), cancel=CancelToken())
    assert all("<|fim_suffix|>" in text.prompt for text in texts(row, random.Random(1)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("module m; endmodule", ""),
        ("// SPDX-License-Identifier: Apache-2.0", ""),
        ("// SPDX-License-Identifier: GPL-3.0-or-later", "licence: GPL"),
        ("// GNU Lesser General Public License", "licence: GPL"),
        ("// SPDX-License-Identifier: CERN-OHL-S-2.0", "licence: CERN-OHL-S or -W"),
        ("// (c) Xilinx, Inc. This file is confidential and proprietary", "licence: a vendor's own"),
        ("// -----BEGIN RSA PRIVATE KEY-----", "secret: private key"),
        ('// password = "hunter22"', "secret: password"),
        ("// http://user:pw@host/", "secret: address with credentials"),
        ("// This file was automatically generated", "generated"),
        ("`protected\nabc", "encrypted"),
    ],
)
def test_what_is_refused(text, why):
    assert refusal(text) == why
    if why.startswith("licence"):
        assert refusal(text, any_licence=True) == ""


def test_nobody_is_named():
    text = "// Author: A. Person\n// mail a.person@example.com for more\nmodule m;\n"
    assert impersonal(text) == "// \n// mail  for more\nmodule m;\n"


def test_near_copies_are_found():
    seen = Seen()
    text = COUNTER.decode()
    assert not seen.again(text)
    assert seen.again(text.replace("  ", "    ") + "// more\n")
    assert not seen.again(OTHER.decode())


@pytest.mark.parametrize(
    ("subject", "fix"),
    [
        ("Fix FIFO full flag", True),
        ("fixes a typo in comments", False),
        ("Add UART", False),
        ("Wrong reset value", True),
    ],
)
def test_what_says_that_it_is_a_fix(subject, fix):
    assert is_fix(subject) is fix


def test_the_lines_that_a_fix_changes():
    assert line_edits("a\nb;\nc", "a\nb; // x\nc") == ()
    assert line_edits("a\nb;\nc", "a\nd;\nc") == (LineEdit(line=2, buggy=("b;",), fixed=("d;",)),)
    assert line_edits("a\nc", "a\nb;\nc") == (LineEdit(line=2, buggy=(), fixed=("b;",)),)
    assert line_edits("a\nb;\nc", "a\nc") == (LineEdit(line=2, buggy=("b;",), fixed=()),)
