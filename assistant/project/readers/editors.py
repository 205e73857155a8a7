"""What editors and linters were told: verible, slang-server, vide, veridian, svls, LazyVerilog."""

from __future__ import annotations

import json
import shlex
import tomllib
from pathlib import Path
from typing import Any

from veriloop.assistant.design.filelist import read_words
from veriloop.assistant.design.project import SOURCE_SUFFIXES
from veriloop.assistant.errors import ConfigError
from veriloop.assistant.project.model import Build, Findings
from veriloop.assistant.project.readers.filelists import best_reading
from veriloop.assistant.project.reading import Context, origin
from veriloop.assistant.project.tools import from_filelist
from veriloop.assistant.project.tree import Tree
from veriloop.assistant.project.yaml_files import load, table, texts

NAME = "editor"


def read(tree: Tree, context: Context) -> Findings:
    """The configuration files at the root and in the folders that the tools look in."""
    builds: list[Build] = []
    questions: list[str] = []
    for path in tree.files("verible.filelist"):
        try:
            listed = best_reading(tree, path, context)
        except ConfigError as error:
            questions.append(f"{path}: {error.message}")
            continue
        builds.append(from_filelist(listed, tree, origin("verible", path), name=path.as_posix()))
    for name in (".slang/server.json", ".slang/local/server.json"):
        if tree.is_file(Path(name)):
            found, commands = _slang(tree, Path(name), context)
            builds += found
            questions += commands
    for path in tree.files("vide.toml", ".svls.toml", "lazyverilog.toml"):
        builds += _toml(tree, path)
    for path in tree.files("veridian.yml", "veridian.yaml"):
        builds += _veridian(tree, path)
    return Findings(tuple(build for build in builds if _says(build)), (), (), tuple(questions))


def _says(build: Build) -> bool:
    return bool(build.sources or build.include_dirs or build.defines)


def _slang(tree: Tree, path: Path, context: Context) -> tuple[list[Build], list[str]]:
    """slang-server: flags as on slang's command line, and commands that print a file list, which are only named."""
    try:
        data: Any = json.loads(tree.text(path))
    except ValueError:
        return [], [f"{path}: is no JSON"]
    data = table(data)
    builds = []
    flags = str(data.get("flags") or "")
    if flags:
        listed = read_words(_words(flags), base=tree.root, place=str(path), environment=context.variables)
        builds.append(from_filelist(listed, tree, origin("slang", path), name="slang-server"))
    named = data.get("build")
    if isinstance(named, str) and tree.is_file(Path(named)):
        listed = best_reading(tree, Path(named), context)
        builds.append(from_filelist(listed, tree, origin("slang", path), name=named))
    commands = [str(table(one).get("command")) for one in data.get("builds") or () if table(one).get("command")]
    return builds, [
        f"{path}: `{one}` prints a file list; veriloop project --filelist-command {shlex.quote(one)}"
        for one in commands
    ]


def _toml(tree: Tree, path: Path) -> list[Build]:
    try:
        data: Any = tomllib.loads(tree.text(path))
    except tomllib.TOMLDecodeError:
        return []
    found: dict[str, Any] = {}
    for one in (data, data.get("verilog", {}), data.get("design", {}), data.get("compilation", {})):
        found |= table(one)
    patterns = texts(found.get("sources")) + texts(found.get("files"))
    sources = [one for pattern in patterns for one in _sources(tree, path.parent, pattern)]
    directories = texts(found.get("include_dirs")) + texts(found.get("include_paths"))
    defines = found.get("defines")
    pairs = defines.items() if isinstance(defines, dict) else (one.partition("=")[::2] for one in texts(defines))
    return [
        Build(
            name=path.as_posix(),
            origin=origin(path.stem.lstrip("."), path),
            toplevels=tuple(texts(found.get("top_modules"))),
            sources=tuple(dict.fromkeys(sources)),
            include_dirs=tuple(one for one in map(Path, directories) if tree.is_dir(path.parent / one)),
            defines=tuple((str(name), str(value)) for name, value in pairs),
        )
    ]


def _veridian(tree: Tree, path: Path) -> list[Build]:
    data = table(load(tree, path))
    sources = [one for name in texts(data.get("source_dirs")) for one in _sources(tree, path.parent, name)]
    includes = [one for one in map(Path, texts(data.get("include_dirs"))) if tree.is_dir(path.parent / one)]
    return [
        Build(
            name=path.as_posix(), origin=origin("veridian", path), sources=tuple(sources), include_dirs=tuple(includes)
        )
    ]


def _sources(tree: Tree, base: Path, pattern: str) -> list[Path]:
    found = tree.glob(pattern, base)
    folders = [one for one in found if tree.is_dir(one)]
    inner = [one for folder in folders for one in tree.hdl if one.is_relative_to(folder)]
    return [*(one for one in found if one.suffix.lower() in SOURCE_SUFFIXES), *inner]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
