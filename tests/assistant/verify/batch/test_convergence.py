"""Of which models the digest of a state is worth anything."""

from __future__ import annotations

import pytest

from veriloop.assistant.verify.batch.convergence import is_comparable, read_goes_on

FIRST = """\
VL_ATTR_COLD void Vtop___024root___ctor_var_reset(Vtop___024root* vlSelf) {
    vlSelf->tb__DOT__a = VL_SCOPED_RAND_RESET_I(4, __VscopeHash, 7ull);
}
"""
LATER = """\
%s {
    IData/*31:0*/ __Vfunc_f__0__x;
    %s
}
"""


HEADS = [
    "void Vtop___024root___nba_sequent__TOP__0(Vtop___024root* vlSelf)",
    "VlCoroutine Vtop___024root___eval_initial__TOP__Vtiming__0(Vtop___024root* vlSelf)",
    "void Vtop_a::__VnoInFunc_f(Vtop__Syms* __restrict vlSymsp)",
]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    ("later", "comparable"),
    [
        ("vlSelf->a = 1U;", True),
        ('VL_WRITEF_NX("wrong\\n",0);', True),
        ("__Vfunc_f__0__x = VL_RAND_RESET_I(4);", False),
        ('vlSelf->f = VL_FOPEN_NN("in.txt"s, "r"s);', False),
        ("VL_SYSTEM_IQ(5, 1ULL);", False),
    ],
)
def test_what_a_digest_does_not_hold(tmp_path, head, later, comparable):
    (tmp_path / "Vtop___024root__0.cpp").write_text(FIRST + LATER % (head, later))
    assert is_comparable(tmp_path) is comparable


def test_a_run_to_its_end_goes_on_like_none(tmp_path):
    assert read_goes_on(tmp_path / "3") is None
    (tmp_path / "3.like").write_text("1 4096 17")
    found = read_goes_on(tmp_path / "3")
    assert found is not None
    assert (found.index, found.step, found.output_bytes) == (1, 4096, 17)
