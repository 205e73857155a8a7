"""Is a text a reference model, and may it run? Checked by its syntax, before anything of it runs.

A model is a class with a method `eval(self, inputs)`, or a function `eval(inputs)`; both take and return a dictionary
of integers by port name. Nothing but plain computing is let through; the process that runs it is locked up besides.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

ALLOWED_IMPORTS: Mapping[str, frozenset[str]] = {
    "typing": frozenset(),
    "__future__": frozenset(),
    "collections": frozenset({"deque", "defaultdict", "OrderedDict", "Counter"}),
    "enum": frozenset({"Enum", "IntEnum", "auto"}),
    "functools": frozenset({"reduce"}),
    "itertools": frozenset({"product", "chain", "repeat", "accumulate", "permutations", "combinations"}),
    "copy": frozenset({"copy", "deepcopy"}),
    "math": frozenset({"ceil", "floor", "log2", "gcd"}),
}
"""What a model may import by `from X import Y`; of `typing` and `__future__`, which do nothing, anything."""

_FORBIDDEN_NAMES = frozenset(
    [
        "open",
        "exec",
        "compile",
        "input",
        "breakpoint",
        "globals",
        "locals",
        "vars",
        "dir",
        "getattr",
        "setattr",
        "delattr",
        "help",
        "memoryview",
        "exit",
        "quit",
        "type",
        "id",
    ]
)
_MOST_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class ReferenceModel:
    """A text that may run.

    Attributes:
        source: without its imports and annotations.
        entry: the class or function that is the model.
    """

    source: str
    entry: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a text may not run, or is no model."""

    why: str


def read_model(text: str) -> ReferenceModel | Refused:
    """The model in a text of Python, or why it is none."""
    if len(text) > _MOST_BYTES:
        return Refused("is larger than a model of one module can be")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Refused(f"does not parse: {error.args[0] if error.args else error}")
    for why in _faults(tree):
        return Refused(why)
    entry = _entry(tree)
    if entry is None:
        return Refused("has no class with a method eval(self, inputs), and no function eval(inputs)")
    try:
        source = ast.unparse(_Plain().visit(tree))
    except RecursionError:
        return Refused("is nested too deeply")
    return ReferenceModel(source, entry)


def _faults(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            bad = [name.name for name in node.names if name.name not in ("typing", "math")]
            if bad or any(name.asname for name in node.names):
                yield f"imports {', '.join(bad) or 'under another name'}"
        elif isinstance(node, ast.ImportFrom):
            yield from _import_faults(node)
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            if not _is_own_field(node):
                yield f"reaches into the language: .{node.attr}"
        elif isinstance(node, ast.Name) and (node.id in _FORBIDDEN_NAMES or _is_dunder(node.id)):
            yield f"uses {node.id}"
        elif isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith | ast.With):
            yield "waits for something, or manages a resource"


def _import_faults(node: ast.ImportFrom) -> Iterator[str]:
    allowed = ALLOWED_IMPORTS.get(node.module or "")
    if node.level or allowed is None:
        yield f"imports {node.module or 'what lies beside it'}"
    elif node.module not in ("typing", "__future__"):
        for name in node.names:
            if name.name not in allowed or name.asname:
                yield f"imports {node.module}.{name.name}"


def _is_own_field(node: ast.Attribute) -> bool:
    """`self._state` is a field like any other; `self.__class__` is not."""
    return isinstance(node.value, ast.Name) and node.value.id == "self" and not node.attr.startswith("__")


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name not in ("__init__", "__name__")


def _entry(tree: ast.Module) -> str | None:
    classes = [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(inner, ast.FunctionDef) and inner.name == "eval" for inner in node.body)
    ]
    if classes:
        return classes[-1]
    return "eval" if any(isinstance(node, ast.FunctionDef) and node.name == "eval" for node in tree.body) else None


class _Plain(ast.NodeTransformer):
    """Without imports, whose names are there already, and without annotations, which may name what is not."""

    def visit_Import(self, node: ast.Import) -> ast.AST:
        return ast.copy_location(ast.Pass(), node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        return ast.copy_location(ast.Pass(), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        arguments = node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            argument.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)

    def visit_If(self, node: ast.If) -> ast.AST:
        """`if __name__ == "__main__"` is a demonstration of the model, no part of it."""
        if "__name__" in ast.dump(node.test):
            return ast.copy_location(ast.Pass(), node)
        self.generic_visit(node)
        return node
