"""The two programs that run a batch: a Verilator model whose `main` forks, and `vvp` with a VPI function that does."""

from __future__ import annotations

import functools
import hashlib
import re
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.alternatives import package_text
from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.design.observation import OBSERVED, PACKAGE, REACHED
from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute
from veriloop.assistant.verify.batch.convergence import CHECKPOINTS, is_comparable
from veriloop.assistant.verify.batch.forking import FORK
from veriloop.assistant.verify.build import Compiler, Features
from veriloop.assistant.verify.icarus import NO_DUMPS, Icarus
from veriloop.assistant.verify.verilator import END_MARK, Binary, Verilator

_COMPILE_TIMEOUT_S = 120.0

VERSIONS = 1 << 16
"""More than a batch has."""
_CHOSEN = "veriloop_chosen"
_PLAIN = "CData|SData|IData|QData|VlWide<|VlUnpacked<(?:CData|SData|IData|QData|VlWide<)"
"""How the declaration of a variable begins that consists of its bits alone."""

_MAIN = (
    '#include "runtime.h"\n'
    + FORK
    + CHECKPOINTS
    + """
VERILOOP_PRIVATE static unsigned* veriloop_told = nullptr;
VERILOOP_PRIVATE static int veriloop_version = 0;

extern "C" int CHOSEN() { return veriloop_version; }

extern "C" void REACHED(int number) {
    if (veriloop_told && number > 0 && number < VERSIONS)
        veriloop_told[number] = veriloop_step < ~0U ? static_cast<unsigned>(veriloop_step) : ~0U;
}

/* A variable that some versions alone use is nothing in all others, from whichever state they start. */
void veriloop_unused(void* variable, unsigned long size, const int* used) {
    for (; *used; ++used)
        if (*used == veriloop_version) return;
    memset(variable, 0, size);
}

/* What the run is told is kept as it comes, so that a run that breaks off has told everything up to there. */
static void veriloop_listen() {
    const int file = open(veriloop_told_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ftruncate(file, 4 * VERSIONS)) _exit(125);
    void* const shared = mmap(nullptr, 4 * VERSIONS, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED) _exit(125);
    veriloop_told = static_cast<unsigned*>(shared);
    close(file);
}

int main(int argc, char** argv) {
    veriloop_one_heap();
    const struct veriloop_run run = veriloop_fork(argv);
    veriloop_version = run.version;
    if (run.version == OBSERVED) veriloop_listen();
    veriloop_watch(run);
    auto context = std::make_unique<VerilatedContext>();
    context->commandArgs(argc, argv);
    /* No thread of its own, and no note of the time at which it began. */
    context->threads(1);
    context->quiet(true);
    context->randReset(run.reset);
    context->randSeed(run.seed);
#if VM_TRACE
    context->traceEverOn(true);
#endif
    std::unique_ptr<VeriloopModel> top{veriloop_model(context.get(), "TOP")};
    bool starved = false;
    while (!context->gotFinish()) {
        if (veriloop_step == veriloop_moment) veriloop_note(run, context.get());
        veriloop_step = veriloop_step + 1;
        top->eval();
        if (context->gotFinish()) break;
        if (!top->eventsPending()) { starved = true; break; }
        context->time(top->nextTimeSlot());
    }
    top->final();
    std::fflush(stdout);
    std::printf("\\n%s%s\\n", "MARK", starved ? "starvation" : "$finish");
    std::fflush(stdout);
    _exit(0);
}
""".replace("MARK", END_MARK)
    .replace("VERSIONS", str(VERSIONS))
    .replace("OBSERVED", str(OBSERVED))
    .replace("REACHED", REACHED)
    .replace("CHOSEN", _CHOSEN)
)

_VPI = (
    """
#include "vpi_user.h"
"""
    + FORK
    + """
static PLI_INT32 veriloop_call(PLI_BYTE8* data) {
    static int forked, version;
    s_vpi_value value;
    (void)data;
    if (!forked) {
        forked = 1;
        version = veriloop_fork(NULL).version;
    }
    value.format = vpiIntVal;
    value.value.integer = version;
    vpi_put_value(vpi_handle(vpiSysTfCall, NULL), &value, NULL, vpiNoDelay);
    return 0;
}
static PLI_INT32 veriloop_size(PLI_BYTE8* data) { (void)data; return 32; }
static void veriloop_register(void) {
    s_vpi_systf_data function;
    memset(&function, 0, sizeof function);
    function.type = vpiSysFunc;
    function.sysfunctype = vpiIntFunc;
    function.tfname = (PLI_BYTE8*)"$veriloop_version";
    function.calltf = veriloop_call;
    function.sizetf = veriloop_size;
    vpi_register_systf(&function);
}
void (*vlog_startup_routines[])(void) = {veriloop_register, 0};
"""
)


@dataclass(frozen=True, slots=True)
class Program:
    """What runs a batch: its words, and whether it starts from a state of one's choosing."""

    argv: tuple[str, ...]
    engine: str
    optimize: int = 0
    """The C++ compiler's level."""


def write_package(directory: Path, engine: str, *, observing: bool = False) -> Path:
    """Writes the file with the selector, which is read before all others, with what is called where one observes."""
    path = directory / "veriloop_batch.sv"
    if engine == "icarus":
        path.write_bytes(package_text("$veriloop_version"))
    else:
        text = package_text(f"{_CHOSEN}()", observing=observing)
        imported = f'\n  import "DPI-C" function int {_CHOSEN}();\n'.encode()
        path.write_bytes(text.replace(b";\n", b";" + imported, 1))
    return path


def build_verilator(
    verilator: Verilator,
    design: Design,
    directory: Path,
    *,
    cwd: Path,
    plusargs: Sequence[str],
    features: Features,
    optimize: int,
    observing: bool,
    declared: Mapping[str, Collection[int]],
    cancel: CancelToken,
) -> Program | tuple[Diagnostic, ...]:
    """Builds the model that runs a batch; or Verilator's errors.

    Args:
        verilator: builds it.
        design: with the candidates in it.
        directory: an empty one.
        cwd: where Verilator runs.
        plusargs: of the runs.
        features: of the build.
        optimize: the C++ compiler's level.
        observing: there is a version that observes the others.
        declared: what ends the names of variables that some versions alone use, with these versions.
        cancel: stops it.
    """
    package = write_package(directory, "verilator", observing=observing)
    built = verilator.build(
        replace(design, sources=(package, *design.sources)),
        directory,
        cwd=cwd,
        cancel=cancel,
        features=features,
        arguments=("-Wno-BLKANDNBLK", "-Wno-MULTIDRIVEN"),
        main=_MAIN,
        prepared=functools.partial(_prepared, declared=declared),
        optimize=optimize,
    )
    if not isinstance(built, Binary):
        return built.diagnostics
    return Program((str(built.path), *plusargs), "verilator", optimize)


def _prepared(directory: Path, *, declared: Mapping[str, Collection[int]]) -> str:
    """Tells the program where the selector of a new model lies, and whether its states can be compared.

    A Verilator that places it elsewhere compares none.
    """
    header, instances = directory / f"Vtop_{PACKAGE}.h", directory / "Vtop__Syms.h"
    if not header.is_file() or f"TOP__{PACKAGE};" not in instances.read_text():
        return ""
    selector = f"model->top.rootp->vlSymsp->TOP__{PACKAGE}.version"
    comparable = str(is_comparable(directory)).lower()
    told = [f"void veriloop_selector(unsigned*, bool); veriloop_selector(&{selector}, {comparable});"]
    if declared:
        told.append("void veriloop_unused(void*, unsigned long, const int*);")
        named = re.compile(rf"^\s+(?:{_PLAIN}).*\b(\w+({'|'.join(declared)}));$", re.M)
        for name, suffix in named.findall((directory / "Vtop___024root.h").read_text()):
            numbers = ", ".join(map(str, sorted(declared[suffix])))
            told.append(f"{{ const int used[] = {{{numbers}, 0}};")
            told.append(f"auto& unused = model->top.rootp->{name}; veriloop_unused(&unused, sizeof unused, used); }}")
    return "\n".join(told)


def build_icarus(
    icarus: Icarus,
    design: Design,
    directory: Path,
    *,
    cwd: Path,
    module: Path,
    plusargs: Sequence[str],
    keep_dumps: bool,
    timeout_s: float,
    cancel: CancelToken,
) -> Program | tuple[Diagnostic, ...]:
    """Compiles the design that runs a batch; or Icarus's errors."""
    binary = directory / "batch.vvp"
    wanted = replace(design, sources=(write_package(directory, "icarus"), *design.sources))
    errors = icarus.build(wanted, binary, cwd=cwd, cancel=cancel, timeout_s=timeout_s)
    if errors is not None:
        return errors
    dumps = () if keep_dumps else (NO_DUMPS,)
    return Program((str(icarus.runtime), "-n", "-m", str(module), str(binary), *dumps, *plusargs), "icarus")


def forking_module(verilator: Verilator, cancel: CancelToken) -> Path:
    """The VPI library that makes `vvp` fork.

    Raises:
        ToolFailed: the compiler refuses it.
        ToolNotFound: no C++ compiler.
    """
    return vpi_module(_VPI, verilator, cancel)


def vpi_module(text: str, verilator: Verilator, cancel: CancelToken) -> Path:
    """A VPI library for `vvp` of a C text; built where the cache lacks it, with the header that Verilator brings.

    Raises:
        ToolFailed: the compiler refuses it.
        ToolNotFound: no C++ compiler.
    """
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    module = verilator.cache / "vpi" / f"{name}.vpi"
    if module.is_file():
        return module
    compiler = Compiler.find(verilator.configured_compiler, cancel)
    module.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}.", dir=module.parent) as building:
        source, built = Path(building, "module.c"), Path(building, "module.vpi")
        source.write_text(text)
        include = verilator.root / "include" / "vltstd"
        words: list[str | Path] = [compiler.program, "-x", "c", "-shared", "-fPIC", "-O1", f"-I{include}"]
        words += [source, "-o", built]
        done = execute(words, cwd=Path(building), timeout_s=_COMPILE_TIMEOUT_S, cancel=cancel)
        if not done.ok:
            raise ToolFailed("the compiler refuses a module for Icarus", output=done.output[-2000:])
        built.rename(module)
    return module
