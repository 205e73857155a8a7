"""Python files that are read and never run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.assistant.project.conftest import write
from veriloop.assistant.project.pyvalues import UNKNOWN, Call, Script, strings
from veriloop.assistant.project.tree import Tree


def calls(root: Path, text: str, name: str = "run", **environment: str) -> list[Call]:
    """The calls of one name in `tb/test_it.py`."""
    write(root, {"tb/test_it.py": text, "rtl/a.v": "", "rtl/b.v": ""})
    return [call for call in Script(Tree(root), Path("tb/test_it.py"), environment).calls if call.name == name]


def first(root: Path, text: str, **environment: str) -> Any:
    """The first argument of the only call, with paths relative to the root."""
    (call,) = calls(root, text, **environment)
    value = call.arguments[0]
    if value is UNKNOWN or isinstance(value, int):
        return value
    return [one.replace(f"{root}/", "") for one in strings(value)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import os\nhere = os.path.dirname(__file__)\nrun(os.path.join(here, '..', 'rtl', 'a.v'))", ["tb/../rtl/a.v"]),
        (
            "from pathlib import Path\nroot = Path(__file__).resolve().parent.parent\nrun([root / 'rtl' / 'a.v'])",
            ["rtl/a.v"],
        ),
        ("from pathlib import Path\nrun(sorted(Path(__file__).parents[1].glob('rtl/*.v')))", ["rtl/a.v", "rtl/b.v"]),
        ("dut = 'a'\nrun([f'rtl/{dut}.v', 'rtl/%s.v' % 'b', 'x' + '.v'])", ["rtl/a.v", "rtl/b.v", "x.v"]),
        ("s = []\nfor n in ('a', 'b'):\n    s.append(n + '.v')\nrun(s)", ["a.v", "b.v"]),
        ("s = ['a.v']\ns += ['b.v']\ns.extend(['c.v'])\nrun(s)", ["a.v", "b.v", "c.v"]),
        ("run([n for n in ['a.v', 'b.py'] if n.endswith('.v')])", ["a.v"]),
        ("def made(n):\n    return n + '.v'\nrun(made('a'))", ["a.v"]),
        ("def helper(x, y='b.v'):\n    run([x, y])\nhelper('a.v')", ["a.v", "b.v"]),
        ("import os\nrun(os.environ['TOP'] + os.getenv('NONE', '.v'))", ["chip.v"]),
        ("import os\nsim = os.getenv('SIM', 'icarus')\nrun('a.v' if sim == 'icarus' else 'b.v')", ["a.v"]),
        ("class C:\n    DIR = 'rtl/'\n    FILES = [DIR + 'a.v']\nrun(C.FILES)", ["rtl/a.v"]),
        ("from names import FILES\nimport names\nrun(FILES + [names.TOP])", ["a.v", "top.v"]),
        ("if __name__ == '__main__':\n    run('main.v')", ["main.v"]),
        ("import numpy\nrun(['a.v', numpy.secret()])", ["a.v"]),
        ("run({'work': ['a.v']})", ["a.v"]),
    ],
)
def test_values(tmp_path: Path, text: str, expected: list[str]) -> None:
    write(tmp_path, {"tb/names.py": "FILES = ['a.v']\nTOP = 'top.v'\n"})
    assert first(tmp_path, text, TOP="chip") == expected


def test_what_is_not_known_stays_unknown(tmp_path: Path) -> None:
    assert first(tmp_path, "import os\nrun(os.getenv('NOT_SET'))") is UNKNOWN
    assert first(tmp_path, "run(open('/etc/passwd').read())") is UNKNOWN


def test_nothing_runs(tmp_path: Path) -> None:
    text = f"import os\nos.system('touch {tmp_path}/made')\nopen('{tmp_path}/made', 'w')\nrun(1)"
    assert first(tmp_path, text) == 1
    assert not (tmp_path / "made").exists()


def test_functions_that_nobody_calls_are_followed_with_unknown_arguments(tmp_path: Path) -> None:
    (call,) = calls(tmp_path, "def test_x(width):\n    run(top='a', parameters={'W': width, 'D': 4})\n")
    assert call.keywords == {"top": "a", "parameters": {"W": UNKNOWN, "D": 4}}
    assert call.function == "test_x"


@pytest.mark.parametrize(
    "text",
    [
        "while True:\n    pass\nrun(1)",
        "def f():\n    return f()\nrun(f())",
        "x = [0]\nfor i in x:\n    x.append(i)\nrun(1)",
        "run(10 ** 10 ** 10)",
        "run('a' * 10 ** 12)",
        "run(list(range(10 ** 12)))",
        "run(1 << 10 ** 9)",
        "s = 'a'\nfor i in range(200):\n    s += s\nrun(s)",
        "s = [1]\nfor i in range(200):\n    s = s + s\nrun(s)",
        "s = [1]\nfor i in range(200):\n    s.extend(s)\nrun(s)",
        "run('%999999999999d' % 1, '{:>99999999999}'.format(1))",
        "s = 'a' * 4\nfor i in range(200):\n    s = s.replace('a', s)\nrun(s)",
    ],
)
def test_endless_and_huge_scripts_end(tmp_path: Path, text: str) -> None:
    assert len(calls(tmp_path, text)) == 1


def test_what_is_no_python_has_no_calls(tmp_path: Path) -> None:
    assert calls(tmp_path, "def (") == []
