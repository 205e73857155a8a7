from __future__ import annotations

import pytest

from veriloop.models.errors import BadGrammar
from veriloop.models.gbnf import check_grammar

GOOD = r"""
# A statement.
root ::= target ws "=" ws value ";"   # one
target ::= name ("[" [0-9]+ "]")?
value ::= name | [0-9]{1,3} |
  "\"" [^"\n]* "\""
name ::= [a-z_\]]+
ws ::= [ \t]*
"""


@pytest.mark.parametrize(
    "text", [GOOD, 'root ::= "a"', 'root ::= ("a" | "b" root)*\n', 'root ::= "x" tail\ntail ::= "y" root | "z"']
)
def test_a_grammar_that_can_be_used(text):
    check_grammar(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no rule root"),
        ('rot ::= "a"', "no rule root"),
        ('root ::= "a" nothing', "no rule nothing"),
        ('root ::= "a" ( "b"', "brackets"),
        ('root ::= "a" )', "brackets"),
        ('root ::= "a', "not understood"),
        ("root ::= [a-", "not understood"),
        ('root ::= * "a"', "repeats nothing"),
        ('root ::= "a"\nroot ::= "b"', "defined twice"),
        ('root ::= root "a"', "begins with itself"),
        ('root ::= a\na ::= b "x"\nb ::= (a | "y")', "begins with itself"),
        ('::= "a"', "without a name"),
        ('root = "a"', "not understood"),
    ],
)
def test_a_grammar_that_cannot(text, said):
    with pytest.raises(BadGrammar, match=said):
        check_grammar(text)
