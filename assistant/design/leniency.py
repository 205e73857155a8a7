"""How strict slang is: no stricter than the simulators that judge in the end, so that it rejects nothing they accept.

Settled by running slang, Verilator and Icarus over the same small designs.
"""

from __future__ import annotations

import pyslang
from pyslang import ast, parsing

from veriloop.assistant.design.model import Design

# What Verilator and Icarus let pass although IEEE 1800 does not.
LENIENT = (
    ast.CompilationFlags.AllowHierarchicalConst
    | ast.CompilationFlags.RelaxEnumConversions
    | ast.CompilationFlags.AllowUseBeforeDeclare
    | ast.CompilationFlags.AllowTopLevelIfacePorts
    | ast.CompilationFlags.RelaxStringConversions
    | ast.CompilationFlags.AllowRecursiveImplicitCall
    | ast.CompilationFlags.AllowBareValParamAssignment
    | ast.CompilationFlags.AllowSelfDeterminedStreamConcat
    | ast.CompilationFlags.AllowUnnamedGenerate
    | ast.CompilationFlags.AllowVirtualIfaceWithOverride
    | ast.CompilationFlags.AllowArrayConcatAssignPattern
    | ast.CompilationFlags.AllowCrossAutoBinMax
    | ast.CompilationFlags.AllowInvalidTop
)

MISSING_MODULE = frozenset({"UnknownModule", "UnknownInterface", "UnknownPrimitive"})
MISSING_NAME = frozenset({"UnknownPackage", "UnknownClassOrPackage", "UnknownInterface", "UndeclaredIdentifier"})
DOWNGRADED = MISSING_MODULE | {
    "AlwaysFFEventControl",
    "BlockingInAlwaysFF",
    "FormatNoArgument",
    "LiteralSizeIsZero",
    "MultipleDefaultCases",
    "UnknownFormatSpecifier",
    "UnknownSystemName",
    "UnusedPortDecl",
}
"""What slang calls an error and Verilator or Icarus lets pass, or what means that a file is missing, not wrong."""
UPGRADED = frozenset({"Redefinition", "CannotIndexScalar"})
"""What slang only warns of, and both simulators reject."""

ONE_SIDED_FLAGS = ast.CompilationFlags.RelaxEnumConversions
"""Leniencies towards what IEEE 1800 forbids and only one of the two simulators lets pass: here Icarus."""
ONE_SIDED = frozenset({"RangeSelectReversed"})
"""What slang only warns of and one of the two rejects: here Icarus."""


def _told() -> frozenset[str]:
    engine = pyslang.DiagnosticEngine(pyslang.SourceManager())
    group = engine.findDiagGroup("default")
    codes = [repr(code).removeprefix("DiagCode(").removesuffix(")") for code in group.getDiags()] if group else []
    return frozenset({*codes, *DOWNGRADED, *UPGRADED, "WidthTruncate", "UnconnectedInputPort", "UnusedResult"})


TOLD = _told()
"""The warnings that are worth a line in an editor: those that slang gives when it is asked for nothing, and a few."""


def slang_options(design: Design, *, max_depth: int, strict: bool = False) -> pyslang.Bag:
    """How slang reads a design.

    Args:
        design: its defines, parameters and directories.
        max_depth: how many levels of instances are followed.
        strict: takes only what both simulators take.
    """
    version = pyslang.LanguageVersion.v1800_2023
    preprocessor = parsing.PreprocessorOptions()
    preprocessor.languageVersion = version
    preprocessor.predefines = [f"{name}={value}" if value else name for name, value in design.defines]
    preprocessor.additionalIncludePaths = [
        str(path) for path in dict.fromkeys((*design.include_dirs, *(source.parent for source in design.sources)))
    ]
    lexer = parsing.LexerOptions()
    lexer.languageVersion = version
    parser = parsing.ParserOptions()
    parser.languageVersion = version
    compilation = ast.CompilationOptions()
    compilation.languageVersion = version
    compilation.flags = LENIENT & ~ONE_SIDED_FLAGS if strict else LENIENT
    compilation.maxInstanceDepth = max_depth
    # Where some files name a time scale and some do not, the simulators only warn.
    compilation.defaultTimeScale = pyslang.TimeScale.fromString("1ns/1ps")
    compilation.paramOverrides = [f"{name}={value}" for name, value in design.parameters]
    if design.toplevel:
        compilation.topModules = {design.toplevel}
    bag = pyslang.Bag()
    bag.preprocessorOptions = preprocessor
    bag.lexerOptions = lexer
    bag.parserOptions = parser
    bag.compilationOptions = compilation
    return bag
