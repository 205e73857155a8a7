"""What the documents say about the code is true."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest

from veriloop.assistant import errors
from veriloop.assistant.cli.main import SUMMARIES, VERBS, build_parser
from veriloop.assistant.config import RepositoryConfig, UserConfig

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("assistant", "lsp", "tui", "models")


def section(document: str, heading: str) -> str:
    """The text under a heading, up to the next of the same or a higher level."""
    level = heading.split(" ", 1)[0]
    text = (ROOT / document).read_text()
    assert f"\n{heading}\n" in text, f"{document} has no {heading!r}"
    body = text.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"^#{{1,{len(level)}}} ", body, maxsplit=1, flags=re.M)[0]


def sources() -> set[str]:
    """The folders that hold modules, with a slash, and the modules that stand directly in a package."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = path.relative_to(ROOT)
            found.add(f"{name.parent.as_posix()}/")
            if len(name.parts) == 2 and name.name != "__init__.py":
                found.add(name.as_posix())
    return found


def test_the_code_map_names_what_is_there():
    named = set(re.findall(r"`((?:assistant|lsp|tui|models)/[\w/.]*)`", section("ARCHITECTURE.md", "## Code map")))
    assert sorted(sources() - named) == [], "not in the code map"
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == [], "in the code map only"


@pytest.mark.parametrize("name", [name for name, item in vars(errors).items() if inspect.isclass(item)])
def test_every_error_is_drawn(name):
    item = getattr(errors, name)
    if item.__module__ != errors.__name__:
        pytest.skip("imported")
    assert errors.__doc__ is not None
    line = next((line for line in errors.__doc__.splitlines() if re.search(rf"\b{name}\b", line)), None)
    assert line is not None, f"{name} is not drawn"
    code = re.search(rf"{name}\s+(\d+)", line)
    if code and issubclass(item, errors.VeriloopError):
        assert int(code[1]) == item.exit_code


def test_the_readme_names_the_verbs_that_there_are():
    verbs = dict.fromkeys(re.findall(r"^### `veriloop ([\w-]+)", (ROOT / "README.md").read_text(), flags=re.M))
    assert sorted(verbs) == sorted(VERBS)
    assert list(SUMMARIES) == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_the_readme_names_the_options_that_there_are(verb):
    parser = verb_parser(verb)
    options = {word for word in option_strings(parser) if word.startswith("--")}
    lines = (ROOT / "README.md").read_text().splitlines()
    # A verb of several parts has a heading for each.
    headings = [line for line in lines if re.match(rf"### `veriloop {verb}[ `]", line)]
    text = "".join(heading + section("README.md", heading) for heading in headings)
    documented = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
    assert options - {"--help", "--json"} == documented - {"--json"}


def option_strings(parser: argparse.ArgumentParser) -> set[str]:
    """The options of a parser and of its subcommands'."""
    found: set[str] = set()
    for action in parser._actions:
        found.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                found |= option_strings(child)
    return found


def verb_parser(verb: str) -> argparse.ArgumentParser:
    parser = build_parser([verb])
    (verbs,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    parsers: dict[str, argparse.ArgumentParser] = verbs.choices
    return parsers[verb]


@pytest.mark.parametrize(("file", "settings"), [("veriloop.toml", RepositoryConfig), ("config.toml", UserConfig)])
def test_the_readme_names_the_keys_that_there_are(file, settings):
    documented = re.findall(r"^\| `([a-z_.]+)` \|", section("README.md", f"### `{file}`"), flags=re.M)
    hints = get_type_hints(settings)
    tables = {name: get_args(hint)[0] if get_origin(hint) is tuple else hint for name, hint in hints.items()}
    keys = [f"{name}.{field.name}" for name, table in tables.items() for field in dataclasses.fields(table)]
    assert sorted(documented) == sorted(keys)


def test_the_packages_are_typed():
    assert all((ROOT / package / "py.typed").is_file() for package in PACKAGES)
