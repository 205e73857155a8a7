"""A style changes how a design is written, and says where everything went."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import pytest

from veriloop.assistant.training.code import words
from veriloop.assistant.training.draft import Draft, families
from veriloop.assistant.training.facts import evaluate
from veriloop.assistant.training.render import render
from veriloop.assistant.training.style import CANONICAL, Style


def draft(family: str, variant: int = 0) -> Draft:
    (found,) = families(family)
    return found.draft(0, variant)


def test_the_canonical_form_stays_as_it_is():
    for family in families():
        for variant in range(family.variants):
            first = render(family.draft(0, variant))
            again = render(replace(family.draft(0, variant), rtl=first.text))
            assert again.text == first.text


@pytest.mark.parametrize(
    ("style", "sensitive", "condition"),
    [
        (Style(), "@(posedge clk)", "if (rst)"),
        (Style(reset_async=True), "@(posedge clk or posedge rst)", "if (rst)"),
        (Style(reset="rst_n", reset_low=True), "@(posedge clk)", "if (!rst_n)"),
        (
            Style(reset="nrst", reset_low=True, reset_async=True, not_reset="== 1'b0"),
            "@(posedge clk or negedge nrst)",
            "if (nrst == 1'b0)",
        ),
    ],
)
def test_resets(style, sensitive, condition):
    rendered = render(draft("modulo_counter"), style)
    assert sensitive in rendered.text
    assert condition in rendered.text
    kind = ("asynchronous" if style.reset_async else "synchronous", "low" if style.reset_low else "high")
    assert f"{kind[0].capitalize()} active-{kind[1]} reset {style.reset}." in rendered.about


def test_a_reset_that_is_more_than_a_first_condition_stays_synchronous():
    source = draft("modulo_counter")
    mixed = replace(source, rtl=source.rtl.replace("if (rst)", "if (rst || en)"))
    assert "posedge rst" not in render(mixed, Style(reset_async=True)).text


def test_constants():
    texts = {
        way: render(draft("modulo_counter"), Style(constants=way)).text
        for way in ("parameter", "localparam", "define", "magic")
    }
    assert "parameter int LIMIT = " in texts["parameter"]
    assert "localparam int LIMIT = " in texts["localparam"]
    assert "`define LIMIT " in texts["define"]
    assert "`LIMIT" in texts["define"].split("module", 1)[1]
    assert "LIMIT" not in texts["magic"]
    assert "from 0 to " in texts["magic"]


def test_names_are_renamed_everywhere_and_stay_apart():
    for family in families():
        for seed in range(4):
            drawn = family.draft(seed)
            style = replace(Style.draw(Random(f"{family.name} {seed}")), synonyms=0.9)
            rendered = render(drawn, style)
            names = [pin.name for pin in rendered.pins]
            assert len(set(names)) == len(names)
            code = re.sub(r"//[^\n]*|/\*.*?\*/", "", rendered.text, flags=re.S)
            header = code.split(f"module {rendered.top}", 1)[1].split(";", 1)[0]
            assert set(names) <= set(re.findall(r"\w+", header))


def test_remarks_stand_where_they_say():
    style = replace(CANONICAL, comments="all")
    for family in families():
        drawn = family.draft(1)
        rendered = render(drawn, style)
        lines = rendered.text.split("\n")
        for remark in rendered.remarks:
            if remark.block:
                above = " ".join(line.strip().removeprefix("// ") for line in lines[: remark.line - 1])
                assert above.endswith(remark.text)
            else:
                assert lines[remark.line - 1].endswith(f"// {remark.text}")


def test_remarks_are_the_same_whether_they_are_shown():
    shown = render(draft("sync_fifo"), CANONICAL)
    hidden = render(draft("sync_fifo"), replace(CANONICAL, comments="none"))
    assert "//" not in hidden.text
    assert [remark.text for remark in hidden.remarks] == [remark.text for remark in shown.remarks]
    bare = [line.split("//")[0].rstrip() for line in shown.text.split("\n")]
    for one, other in zip(shown.remarks, hidden.remarks, strict=True):
        assert bare[one.line - 1] == hidden.text.split("\n")[other.line - 1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("WIDTH - 1", 7),
        ("$clog2(WIDTH + 1)", 4),
        ("8'hff / 2", 127),
        ("1 << 4", 16),
        ("WIDTH ? 1 : 0", None),
        ("OTHER", None),
        ("1 / 0", None),
        ("", None),
    ],
)
def test_constant_expressions(text, value):
    assert evaluate(words(text), {"WIDTH": 8}) == value


def test_a_draft_that_does_not_parse_is_an_error():
    with pytest.raises(ValueError, match="does not parse"):
        render(replace(draft("sync_fifo"), rtl="module m (input logic a; endmodule"))


def test_every_family_says_what_it_is():
    for family in families():
        drawn = family.draft(0)
        about = drawn.about if isinstance(drawn.about, str) else drawn.about[0]
        assert len(about.split()) >= 10, family.name
        assert (family.author.__doc__ or "").strip(), family.name
        outputs = [pin.canonical for pin in render(drawn).pins if pin.output]
        assert outputs, family.name
