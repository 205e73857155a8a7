from __future__ import annotations

import pytest

from veriloop.models.lookup import draft


@pytest.mark.parametrize(
    ("tokens", "most", "expected"),
    [
        ([1, 2, 3, 4, 1, 2], 2, [3, 4]),
        ([1, 2, 3, 9, 1, 2, 5, 9, 1, 2], 1, [5]),
        ([7, 1, 2, 5, 8, 1, 2, 6, 7, 1, 2], 1, [5]),
        ([1, 2, 3], 4, []),
        ([], 4, []),
        ([1, 2, 1, 2], 8, [1, 2]),
    ],
    ids=["what followed", "the last place", "the longest match", "nothing", "empty", "up to the end"],
)
def test_a_draft_is_what_followed_before(tokens, most, expected):
    assert draft(tokens, most) == expected
