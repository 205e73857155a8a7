"""What a Python file passes to some functions, read from its text. The file is never run.

Enough of the language to follow how runner scripts put paths together: constants, paths, lists, dictionaries, loops
over known lists, functions of the same file. What is not known stays `UNKNOWN`, and so does what is made of it.
"""

from __future__ import annotations

import ast
import itertools
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from veriloop.assistant.project.outline import parsed
from veriloop.assistant.project.tree import Tree

_MAX_STEPS = 20_000
_MAX_LOOP = 200
_MAX_CHARS = 4096
_MAX_ITEMS = 10_000
_MAX_DEPTH = 6
_MAX_IMPORTS = 2
_IMPORT = re.compile(
    r"^[ \t]*(?:import[ \t]+([\w.]+(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*[\w. ]+)*)|from[ \t]+([\w.]+)[ \t]+import\b)",
    re.M,
)


class _Unknown:
    """A value that the text alone does not tell."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        return False


UNKNOWN = _Unknown()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that was met: `name` as it is written, dotted; values that are not known are `UNKNOWN`."""

    name: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    line: int
    function: str = ""
    """The outermost function that it is met in; empty at the top of the file."""


class Script:
    """One Python file, read as far as is asked: its imports cost no parsing, its values no look into its functions."""

    def __init__(
        self,
        tree: Tree,
        path: Path,
        environment: Mapping[str, str] | None = None,
        *,
        depth: int = 0,
        known: dict[Path, Script] | None = None,
    ) -> None:
        """Reads nothing yet.

        Args:
            tree: whose file.
            path: the file.
            environment: the variables that it finds.
            depth: how many imports away the file is that is asked about.
            known: modules that were read for other scripts.
        """
        self.tree = tree
        self.path = path
        self.environment = environment or {}
        self.depth = depth
        self._known = known if known is not None else {}
        self._run: _Run | None = None
        self.met: list[Call] = []
        """The calls that were met so far."""

    @cached_property
    def imports(self) -> list[str]:
        """Names of the modules that it imports."""
        found: list[str] = []
        for plain, source in _IMPORT.findall(self.tree.text(self.path)):
            found += [source] if source else [one.split()[0] for one in plain.split(",") if one.strip()]
        return found

    @cached_property
    def functions(self) -> Mapping[str, tuple[str, ...]]:
        """The names of its functions, with their decorators as they are written."""
        return {
            name: tuple(ast.unparse(one) for one in definition.decorator_list)
            for name, definition in self._followed().definitions.items()
        }

    @property
    def values(self) -> dict[str, Any]:
        """What its top level assigns; what it has assigned so far, where modules import each other."""
        return self._followed().values

    @cached_property
    def calls(self) -> list[Call]:
        """Every call that was met, in the order in which a run would make them."""
        run = self._followed()
        for name, definition in run.definitions.items():
            if not self.depth and name not in run.entered and isinstance(definition, ast.FunctionDef):
                run.function = name
                run.call(definition, [], {}, run.values, top=True)
        return self.met

    def _followed(self) -> _Run:
        """Its top level, followed once."""
        if self._run is None:
            try:
                body = parsed(self.tree.text(self.path)).body
            except (SyntaxError, ValueError, RecursionError):
                body = []
            definitions = {one.name: one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
            # Kept before it is followed, so that a circle of imports ends.
            self._run = _Run(self, definitions)
            self._run.values |= {"__file__": str(self.tree.root / self.path), "__name__": "__main__"}
            self._run.block(body, self._run.values)
        return self._run

    def imported(self, module: str) -> dict[str, Any]:
        """What a module of the same tree defines; nothing where it is none, or too far away."""
        if self.depth >= _MAX_IMPORTS:
            return {}
        tail = module.replace(".", "/") + ".py"
        near = self.path.parent / tail
        found = [near.as_posix()] if self.tree.is_file(near) else self.tree.ending(tail)
        if len(found) != 1 or Path(found[0]) == self.path:
            return {}
        path = Path(found[0])
        if path not in self._known:
            self._known[path] = Script(self.tree, path, self.environment, depth=self.depth + 1, known=self._known)
        return self._known[path].values


@dataclass
class _Run:
    script: Script
    definitions: Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef]
    values: dict[str, Any] = field(default_factory=dict)
    """What the top level has assigned so far."""
    function: str = ""
    entered: set[str] = field(default_factory=set)
    steps: int = 0
    depth: int = 0

    # --- statements ---

    def block(self, body: Sequence[ast.stmt], names: dict[str, Any]) -> Any:
        """Follows statements; returns what the first `return` gives, `None` without one."""
        for statement in body:
            self.steps += 1
            if self.steps > _MAX_STEPS:
                return UNKNOWN
            if isinstance(statement, ast.Return):
                return self.value(statement.value, names) if statement.value is not None else None
            result = self._statement(statement, names)
            if result is not None:
                return result
        return None

    def _statement(self, node: ast.stmt, names: dict[str, Any]) -> Any:
        if isinstance(node, ast.Assign):
            value = self.value(node.value, names)
            for target in node.targets:
                self._bind(target, value, names)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._bind(node.target, self.value(node.value, names), names)
        elif isinstance(node, ast.AugAssign):
            current = self.value(node.target, names)
            self._bind(node.target, _binary(node.op, current, self.value(node.value, names)), names)
        elif isinstance(node, ast.Expr):
            self.value(node.value, names)
        elif isinstance(node, ast.If):
            return self._if(node, names)
        elif isinstance(node, ast.For):
            return self._for(node, names)
        elif isinstance(node, ast.ClassDef):
            inner: dict[str, Any] = dict(names)
            self.block([one for one in node.body if isinstance(one, ast.Assign | ast.AnnAssign)], inner)
            names[node.name] = Held({key: value for key, value in inner.items() if names.get(key) is not value})
        elif isinstance(node, ast.ImportFrom) and node.module:
            known = self.script.imported(node.module)
            names |= {one.asname or one.name: known[one.name] for one in node.names if one.name in known}
        elif isinstance(node, ast.Import):
            for one in node.names:
                if known := self.script.imported(one.name):
                    names[one.asname or one.name] = Held(known)
        elif isinstance(node, ast.With):
            for item in node.items:
                self.value(item.context_expr, names)
            return self.block(node.body, names)
        elif isinstance(node, ast.Try):
            found = self.block(node.body, names)
            return found if found is not None else self.block(node.finalbody, names)
        return None

    def _if(self, node: ast.If, names: dict[str, Any]) -> Any:
        test = self.value(node.test, names)
        if test is not UNKNOWN:
            return self.block(node.body if test else node.orelse, names)
        # Either may run: what both do is seen, and what they return is not known.
        for branch in (node.orelse, node.body):
            self.block(branch, names)
        return None

    def _for(self, node: ast.For, names: dict[str, Any]) -> Any:
        items = self.value(node.iter, names)
        if isinstance(items, Mapping):
            items = list(items)
        if not isinstance(items, list | tuple):
            self._bind(node.target, UNKNOWN, names)
            self.block(node.body, names)
            return None
        for item in list(items)[:_MAX_LOOP]:
            self._bind(node.target, item, names)
            self.block(node.body, names)
        return None

    def _bind(self, target: ast.expr, value: Any, names: dict[str, Any]) -> None:
        if isinstance(target, ast.Name):
            names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            parts = list(value) if isinstance(value, list | tuple) else []
            for index, part in enumerate(target.elts):
                self._bind(part, parts[index] if index < len(parts) else UNKNOWN, names)
        elif isinstance(target, ast.Subscript):
            held, key = self.value(target.value, names), self.value(target.slice, names)
            if isinstance(held, dict) and isinstance(key, str | int):
                held[key] = value

    # --- expressions ---

    def value(self, node: ast.expr | None, names: dict[str, Any]) -> Any:
        """An expression's value."""
        self.steps += 1
        if node is None or self.steps > _MAX_STEPS:
            return UNKNOWN
        handler = _HANDLERS.get(type(node))
        return handler(self, node, names) if handler is not None else UNKNOWN

    def _name(self, node: ast.Name, names: dict[str, Any]) -> Any:
        return names.get(node.id, UNKNOWN)

    def _joined(self, node: ast.JoinedStr, names: dict[str, Any]) -> Any:
        parts = [
            part.value if isinstance(part, ast.Constant) else self.value(getattr(part, "value", None), names)
            for part in node.values
        ]
        return UNKNOWN if any(part is UNKNOWN for part in parts) else "".join(str(part) for part in parts)

    def _list(self, node: ast.List | ast.Tuple | ast.Set, names: dict[str, Any]) -> Any:
        found: list[Any] = []
        for part in node.elts:
            if isinstance(part, ast.Starred):
                inner = self.value(part.value, names)
                found += list(inner) if isinstance(inner, list | tuple) else [UNKNOWN]
            else:
                found.append(self.value(part, names))
        return tuple(found) if isinstance(node, ast.Tuple) else found

    def _dict(self, node: ast.Dict, names: dict[str, Any]) -> Any:
        found: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                inner = self.value(value, names)
                found |= inner if isinstance(inner, dict) else {}
                continue
            name = self.value(key, names)
            if isinstance(name, str | int):
                found[name] = self.value(value, names)
        return found

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp, names: dict[str, Any]) -> Any:
        if len(node.generators) != 1:
            return UNKNOWN
        (generator,) = node.generators
        items = self.value(generator.iter, names)
        if not isinstance(items, list | tuple):
            return UNKNOWN
        found = []
        for item in list(items)[:_MAX_LOOP]:
            inner = dict(names)
            self._bind(generator.target, item, inner)
            if all(self.value(test, inner) for test in generator.ifs):
                found.append(self.value(node.elt, inner))
        return found

    def _binary(self, node: ast.BinOp, names: dict[str, Any]) -> Any:
        return _binary(node.op, self.value(node.left, names), self.value(node.right, names))

    def _compare(self, node: ast.Compare, names: dict[str, Any]) -> Any:
        left, right = self.value(node.left, names), self.value(node.comparators[0], names)
        if len(node.ops) != 1 or left is UNKNOWN or right is UNKNOWN:
            return UNKNOWN
        try:
            return _COMPARE[type(node.ops[0])](left, right)
        except (KeyError, TypeError):
            return UNKNOWN

    def _bool(self, node: ast.BoolOp, names: dict[str, Any]) -> Any:
        result: Any = UNKNOWN
        for one in node.values:
            result = self.value(one, names)
            if result is UNKNOWN or bool(result) is isinstance(node.op, ast.Or):
                return result
        return result

    def _not(self, node: ast.UnaryOp, names: dict[str, Any]) -> Any:
        value = self.value(node.operand, names)
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(node.op, ast.Not):
            return not value
        return -value if isinstance(node.op, ast.USub) and isinstance(value, int | float) else UNKNOWN

    def _choice(self, node: ast.IfExp, names: dict[str, Any]) -> Any:
        test = self.value(node.test, names)
        if test is UNKNOWN:
            return self.value(node.body, names)
        return self.value(node.body if test else node.orelse, names)

    def _subscript(self, node: ast.Subscript, names: dict[str, Any]) -> Any:
        held, key = self.value(node.value, names), self.value(node.slice, names)
        if _dotted(node.value) == "os.environ" and isinstance(key, str):
            return self.script.environment.get(key, UNKNOWN)
        try:
            return held[key] if not isinstance(held, _Unknown | Place | Held) and key is not UNKNOWN else UNKNOWN
        except (KeyError, IndexError, TypeError):
            return UNKNOWN

    def _slice(self, node: ast.Slice, names: dict[str, Any]) -> Any:
        parts = [self.value(part, names) if part else None for part in (node.lower, node.upper, node.step)]
        return UNKNOWN if any(part is UNKNOWN for part in parts) else slice(*parts)

    def _attribute(self, node: ast.Attribute, names: dict[str, Any]) -> Any:
        held = self.value(node.value, names)
        if isinstance(held, Place):
            return held.attribute(node.attr)
        if isinstance(held, Held):
            return held.values.get(node.attr, UNKNOWN)
        return {"os.sep": "/", "os.curdir": "."}.get(_dotted(node), UNKNOWN)

    # --- calls ---

    def _call(self, node: ast.Call, names: dict[str, Any]) -> Any:
        name = _dotted(node.func)
        given: list[Any] = []
        for one in node.args:
            value = self.value(one.value if isinstance(one, ast.Starred) else one, names)
            given += list(value) if isinstance(one, ast.Starred) and isinstance(value, list | tuple) else [value]
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value, names)
            if keyword.arg is None:
                keywords |= {str(key): one for key, one in value.items()} if isinstance(value, dict) else {}
            else:
                keywords[keyword.arg] = value
        self.script.met.append(
            Call(name=name, arguments=tuple(given), keywords=keywords, line=node.lineno, function=self.function)
        )
        definition = self.definitions.get(name)
        if definition is not None and isinstance(definition, ast.FunctionDef):
            return self.call(definition, given, keywords, names)
        return self._known(node, name, given, keywords, names)

    def call(
        self,
        definition: ast.FunctionDef | ast.AsyncFunctionDef,
        given: list[Any],
        keywords: Mapping[str, Any],
        names: dict[str, Any],
        *,
        top: bool = False,
    ) -> Any:
        """Follows a function of the same file."""
        if self.depth >= _MAX_DEPTH:
            return UNKNOWN
        self.entered.add(definition.name)
        arguments = definition.args
        parameters = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
        inner = dict(self.values) if not top else dict(names)
        inner |= dict.fromkeys([*parameters, *(one.arg for one in arguments.kwonlyargs)], UNKNOWN)
        for parameter, default in zip(reversed(parameters), reversed(arguments.defaults), strict=False):
            inner[parameter] = self.value(default, names)
        for one, default_value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if default_value is not None:
                inner[one.arg] = self.value(default_value, names)
        inner |= dict(zip(parameters, given, strict=False)) | {
            key: value for key, value in keywords.items() if key in inner
        }
        before = self.function
        self.function = before or definition.name
        self.depth += 1
        result = self.block(definition.body, inner)
        self.depth -= 1
        self.function = before
        return result

    def _known(
        self, node: ast.Call, name: str, given: list[Any], keywords: Mapping[str, Any], names: dict[str, Any]
    ) -> Any:
        """The value of a call of the standard library that only computes."""
        if name in ("os.getenv", "os.environ.get") and given and isinstance(given[0], str):
            default = given[1] if len(given) > 1 else keywords.get("default", UNKNOWN)
            return self.script.environment.get(given[0], default)
        if name == "os.getcwd":
            return str(self.script.tree.root / self.script.path.parent)
        if name in ("Path", "pathlib.Path", "PurePath") and all(isinstance(one, str | Place) for one in given):
            return Place.of(self.script.tree, self.script.path.parent, "/".join(str(one) for one in given) or ".")
        if name in ("Path.cwd", "pathlib.Path.cwd"):
            return Place.of(self.script.tree, self.script.path.parent, ".")
        function = _FUNCTIONS.get(name)
        if function is not None and all(one is not UNKNOWN for one in given):
            return _try(function, *given)
        if name in ("glob.glob", "glob", "glob.iglob") and given and isinstance(given[0], str):
            return [
                str(self.script.tree.root / path) for path in self.script.tree.glob(given[0], self.script.path.parent)
            ]
        if isinstance(node.func, ast.Attribute):
            return _method(self.value(node.func.value, names), node.func.attr, given)
        return UNKNOWN


@dataclass(frozen=True, slots=True)
class Held:
    """A class or a module, by what it assigns."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A `pathlib.Path`, always absolute."""

    tree: Tree
    path: str

    @classmethod
    def of(cls, tree: Tree, directory: Path, text: str) -> Place:
        """A path as a script in a directory of the tree means it."""
        return cls(tree, os.path.normpath(os.path.join(tree.root / directory, text)))  # noqa: PTH118 - text may be absolute

    def __str__(self) -> str:
        return self.path

    def joined(self, *parts: str) -> Place:
        """With further parts."""
        return Place(self.tree, os.path.normpath("/".join((self.path, *parts))))

    def attribute(self, name: str) -> Any:
        """`parent`, `name` and the like."""
        pure = PurePosixPath(self.path)
        if name == "parent":
            return Place(self.tree, str(pure.parent))
        if name == "parents":
            return [Place(self.tree, str(one)) for one in pure.parents]
        return getattr(pure, name) if name in ("name", "stem", "suffix") else UNKNOWN

    def method(self, name: str, given: list[Any]) -> Any:
        """`resolve()`, `glob()` and the like."""
        if name in ("resolve", "absolute", "expanduser"):
            return self
        if name in ("joinpath", "with_name", "with_suffix") and all(isinstance(one, str) for one in given):
            pure = PurePosixPath(self.path)
            if name == "joinpath":
                return self.joined(*given)
            changed = _try(pure.with_name if name == "with_name" else pure.with_suffix, *given)
            return UNKNOWN if changed is UNKNOWN else Place(self.tree, str(changed))
        if name in ("glob", "rglob") and given and isinstance(given[0], str):
            pattern = f"**/{given[0]}" if name == "rglob" else given[0]
            return [Place(self.tree, str(self.tree.root / path)) for path in self.tree.glob(f"{self.path}/{pattern}")]
        if name in ("as_posix", "__str__"):
            return self.path
        if name in ("exists", "is_file", "is_dir"):
            inside = self.tree.relative(Path(self.path))
            return inside is not None and (self.tree.root / inside).exists()
        return UNKNOWN


def _dotted(node: ast.expr) -> str:
    """`a.b.c`; a call in between is written `a().b`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return f"{_dotted(node.func)}()" if isinstance(node, ast.Call) else "?"


def _binary(operator: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(left, Place) and isinstance(operator, ast.Div) and isinstance(right, str | Place):
        return Place(left.tree, str(right)) if str(right).startswith("/") else left.joined(str(right))
    if isinstance(left, list) and isinstance(operator, ast.Add):
        # A list of which a part is not known still holds the rest.
        added = list(right) if isinstance(right, list | tuple) else [UNKNOWN]
        return UNKNOWN if len(left) + len(added) > _MAX_ITEMS else left + added
    if left is UNKNOWN or right is UNKNOWN or isinstance(left, Place) or isinstance(right, Place):
        return UNKNOWN
    if isinstance(operator, ast.Mult | ast.Pow | ast.LShift) and not all(
        isinstance(one, int) and abs(one) < 1 << 20 for one in (left, right)
    ):
        return UNKNOWN
    function = _BINARY.get(type(operator))
    return _try(function, left, right) if function is not None else UNKNOWN


def _method(held: Any, name: str, given: list[Any]) -> Any:
    if isinstance(held, Place):
        return held.method(name, given)
    if isinstance(held, list) and name in ("append", "extend", "insert"):
        if name == "append" and given:
            held.append(given[0])
        elif name == "extend" and given and len(held) < _MAX_ITEMS:
            held += list(given[0]) if isinstance(given[0], list | tuple) else [UNKNOWN]
        elif name == "insert" and len(given) == 2 and isinstance(given[0], int):
            held.insert(given[0], given[1])
        return None
    if isinstance(held, dict) and name == "update" and given and isinstance(given[0], dict):
        held.update(given[0])
        return None
    if isinstance(held, dict) and name in ("items", "keys", "values"):
        return [list(pair) if name == "items" else pair for pair in getattr(held, name)()]
    if isinstance(held, dict) and name == "get" and given and isinstance(given[0], str | int):
        return held.get(given[0], given[1] if len(given) > 1 else None)
    if isinstance(held, str) and name in _STRING_METHODS and all(one is not UNKNOWN for one in given):
        return UNKNOWN if _is_huge(held) else _try(getattr(held, name), *given)
    return UNKNOWN


def _try(function: Callable[..., Any], *given: Any) -> Any:
    if any(_is_huge(one) for one in given):
        return UNKNOWN
    try:
        result = function(*(str(one) if isinstance(one, Place) else one for one in given))
    except (TypeError, ValueError, ArithmeticError, IndexError, KeyError, AttributeError, MemoryError):
        return UNKNOWN
    return UNKNOWN if _is_huge(result) else result


def _is_huge(value: Any) -> bool:
    """Whether a value is larger than any path or list of sources is: a script may be made to use up the memory."""
    if isinstance(value, str):
        return len(value) > _MAX_CHARS or re.search(r"[%:{<>^]\d{4,}", value) is not None
    if isinstance(value, int):
        return value.bit_length() > 64
    return isinstance(value, list | tuple | dict) and len(value) > _MAX_ITEMS


_STRING_METHODS = frozenset(
    {"format", "join", "split", "strip", "lstrip", "rstrip", "replace", "lower", "upper", "removesuffix"}
    | {"removeprefix", "startswith", "endswith", "splitlines", "partition", "rpartition", "title", "capitalize"}
)
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "os.path.join": posixpath.join,
    "os.path.abspath": posixpath.normpath,
    "os.path.realpath": posixpath.normpath,
    "os.path.normpath": posixpath.normpath,
    "os.path.dirname": posixpath.dirname,
    "os.path.basename": posixpath.basename,
    "os.path.splitext": posixpath.splitext,
    "os.fspath": str,
    "str": str,
    "int": int,
    "bool": bool,
    "len": len,
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "sorted": lambda given: sorted(given, key=str),
    "range": lambda *given: list(itertools.islice(range(*given), _MAX_LOOP)),
    "max": max,
    "min": min,
    "dirname": posixpath.dirname,
    "abspath": posixpath.normpath,
    "join": posixpath.join,
    "splitext": posixpath.splitext,
    "basename": posixpath.basename,
    "realpath": posixpath.normpath,
}
_BINARY: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda one, two: one + two,
    ast.Sub: lambda one, two: one - two,
    ast.Mult: lambda one, two: one * two,
    ast.Div: lambda one, two: one / two,
    ast.FloorDiv: lambda one, two: one // two,
    ast.Mod: lambda one, two: one % two,
    ast.Pow: lambda one, two: one**two if two < 64 else UNKNOWN,
    ast.LShift: lambda one, two: one << two if two < 64 else UNKNOWN,
}
_COMPARE: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Eq: lambda one, two: one == two,
    ast.NotEq: lambda one, two: one != two,
    ast.In: lambda one, two: one in two,
    ast.NotIn: lambda one, two: one not in two,
    ast.Is: lambda one, two: one is two,
    ast.IsNot: lambda one, two: one is not two,
    ast.Gt: lambda one, two: one > two,
    ast.Lt: lambda one, two: one < two,
    ast.GtE: lambda one, two: one >= two,
    ast.LtE: lambda one, two: one <= two,
}
_HANDLERS: Mapping[type, Callable[[_Run, Any, dict[str, Any]], Any]] = {
    ast.Constant: lambda run, node, names: node.value,
    ast.Name: _Run._name,
    ast.JoinedStr: _Run._joined,
    ast.List: _Run._list,
    ast.Tuple: _Run._list,
    ast.Set: _Run._list,
    ast.Dict: _Run._dict,
    ast.ListComp: _Run._comprehension,
    ast.GeneratorExp: _Run._comprehension,
    ast.BinOp: _Run._binary,
    ast.Compare: _Run._compare,
    ast.BoolOp: _Run._bool,
    ast.UnaryOp: _Run._not,
    ast.IfExp: _Run._choice,
    ast.Subscript: _Run._subscript,
    ast.Slice: _Run._slice,
    ast.Attribute: _Run._attribute,
    ast.Call: _Run._call,
    ast.Await: lambda run, node, names: run.value(node.value, names),
}


def strings(value: Any) -> Iterator[str]:
    """The texts in a value, paths among them; those that are not known are left out."""
    if isinstance(value, str | Place):
        yield str(value)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from strings(one)
    elif isinstance(value, dict):
        # cocotb-test and VUnit name sources by library.
        for one in value.values():
            yield from strings(one)
