"""The two programs that run a batch: a Verilator model whose `main` forks, and `vvp` with a VPI function that does."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.alternatives import package_text
from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.design.observation import OBSERVED, REACHED
from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute
from veriloop.assistant.verify.batch.runner import FORK
from veriloop.assistant.verify.build import Compiler, Features
from veriloop.assistant.verify.icarus import NO_DUMPS, Icarus
from veriloop.assistant.verify.verilator import END_MARK, Binary, Verilator

_COMPILE_TIMEOUT_S = 120.0

_TOLD_BYTES = 1 << 16
"""More than a batch has versions."""

_MAIN = (
    '#include "runtime.h"\n#include <sys/mman.h>\n'
    + FORK
    + """
static char veriloop_unheard[TOLD_BYTES];
static char* veriloop_told = veriloop_unheard;

extern "C" void REACHED(int number) {
    if (number > 0 && number < TOLD_BYTES) veriloop_told[number] = 1;
}

/* What the run is told is kept as it comes, so that a run that breaks off has told everything up to there. */
static void veriloop_listen() {
    const int file = open(veriloop_told_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ftruncate(file, TOLD_BYTES)) _exit(125);
    void* const shared = mmap(nullptr, TOLD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED) _exit(125);
    veriloop_told = static_cast<char*>(shared);
    close(file);
}

int main(int argc, char** argv) {
    const struct veriloop_run run = veriloop_fork();
    if (run.version == OBSERVED) veriloop_listen();
    const std::string version = "+veriloop_version=" + std::to_string(run.version);
    const std::string reset = "+verilator+rand+reset+" + std::to_string(run.reset);
    const std::string seed = "+verilator+seed+" + std::to_string(run.seed);
    std::vector<const char*> words{argv, argv + argc};
    for (const std::string* word : {&version, &reset, &seed}) words.push_back(word->c_str());
    auto context = std::make_unique<VerilatedContext>();
    context->commandArgs(static_cast<int>(words.size()), words.data());
#if VM_TRACE
    context->traceEverOn(true);
#endif
    std::unique_ptr<VeriloopModel> top{veriloop_model(context.get(), "TOP")};
    bool starved = false;
    while (!context->gotFinish()) {
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
    .replace("TOLD_BYTES", str(_TOLD_BYTES))
    .replace("OBSERVED", str(OBSERVED))
    .replace("REACHED", REACHED)
)

_READ_PLUSARG = "chosen()"
_CHOSEN = b"""
  function automatic integer chosen();
    if (!$value$plusargs("veriloop_version=%d", chosen)) chosen = 0;
  endfunction
"""

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
        version = veriloop_fork().version;
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
        path.write_bytes(package_text(_READ_PLUSARG, observing=observing).replace(b";\n", b";" + _CHOSEN, 1))
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
    cancel: CancelToken,
) -> Program | tuple[Diagnostic, ...]:
    """Builds the model that runs a batch; or Verilator's errors."""
    package = write_package(directory, "verilator", observing=observing)
    built = verilator.build(
        replace(design, sources=(package, *design.sources)),
        directory,
        cwd=cwd,
        cancel=cancel,
        features=features,
        arguments=("-Wno-BLKANDNBLK", "-Wno-MULTIDRIVEN"),
        main=_MAIN,
        optimize=optimize,
    )
    if not isinstance(built, Binary):
        return built.diagnostics
    return Program((str(built.path), *plusargs), "verilator", optimize)


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
