"""When a run has come to the state in which another run was at the same moment, it goes on like that one.

A state is everything that a program of Verilator's keeps between two time steps: the bytes of its heap, where the
model, its waiting processes and its context lie, its static variables and its random stream. At some moments each run
notes a digest of them; the selector, and what start states differ in only while variables are set first, are left out.
A run that finds the digest that a known run had at that moment breaks off: what follows is known. From start states
that a reset forgets, or of a candidate that differs from the unchanged design for a while only, that is soon.

Source: only where they differ are two nearly identical networks simulated twice (Ulrich, Baker, DAC 1973).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.verify.batch.forking import LIKE, STATES

_FIRST_STEP = 256
"""The first moment, in time steps; each one after it is twice as far."""
_RECORD = struct.Struct("=QQQQ")

_FUNCTION = re.compile(rb"^\w[^\n]*\(", re.M)
"""The line at which a function begins; what stands in one is indented."""
_SETS_FIRST = re.compile(rb"___ctor_var_reset\w*\(|___eval_static\w*\(")
_RESET = b"RAND_RESET"
_OUTSIDE = re.compile(
    rb"\bVL_(?:F(?:OPEN|CLOSE|GETC|GETS|UNGETC|SCANF|READ|EOF|SEEK|TELL|REWIND|ERROR)|SYSTEM|WRITEMEM|STACKTRACE)\w*\("
)
"""What reaches beyond the program's own memory."""

CHECKPOINTS = """
#include <cxxabi.h>
#include <elf.h>
#include <link.h>
#include <malloc.h>
extern char __start_veriloop_private[], __stop_veriloop_private[];
struct veriloop_state { unsigned long step, digest[2], output; };
VERILOOP_PRIVATE static unsigned* veriloop_selected = nullptr;
VERILOOP_PRIVATE static char* veriloop_heap = nullptr;
VERILOOP_PRIVATE static char* veriloop_statics[2] = {nullptr, nullptr};
VERILOOP_PRIVATE static char* veriloop_buffer = nullptr;
VERILOOP_PRIVATE static unsigned long veriloop_freed = 0, veriloop_guard = 0;
VERILOOP_PRIVATE static int veriloop_states = -1;
VERILOOP_PRIVATE static unsigned long veriloop_moment = ~0UL;
VERILOOP_PRIVATE static unsigned veriloop_moments = 0;
enum { VERILOOP_BUFFER = 4096 };

void veriloop_selector(unsigned* selector, bool comparable) {
    veriloop_selected = comparable ? selector : nullptr;
}

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
static int veriloop_segment(struct dl_phdr_info* info, size_t, void*) {
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const auto& one = info->dlpi_phdr[i];
        if (one.p_type != PT_LOAD || !(one.p_flags & PF_W)) continue;
        veriloop_statics[0] = reinterpret_cast<char*>(info->dlpi_addr + one.p_vaddr);
        veriloop_statics[1] = veriloop_statics[0] + one.p_memsz;
    }
    return 1;
}

/* Where the heap begins; none where that cannot be told. */
static char* veriloop_heap_start() {
    static char text[1 << 15];
    const int file = open("/proc/self/maps", O_RDONLY);
    long size = 0, got;
    if (file < 0) return nullptr;
    while ((got = read(file, text + size, sizeof text - 1 - size)) > 0) size += got;
    close(file);
    text[size] = 0;
    char* end = strstr(text, "[heap]");
    if (!end) return nullptr;
    while (end > text && end[-1] != '\\n') --end;
    char* const start = reinterpret_cast<char*>(strtoul(end, nullptr, 16));
    memset(text, 0, sizeof text);
    return start;
}

static void veriloop_nothing(void*) {}

/* A word as it is in any process: what the C library makes of random numbers is another each time a program starts. */
static inline unsigned long veriloop_plain(unsigned long word) {
#ifdef __x86_64__
    const unsigned long function = ((word >> 17) | (word << 47)) ^ veriloop_guard;
#else
    const unsigned long function = word ^ veriloop_guard;
#endif
    return word == veriloop_freed ? 0 : veriloop_guard && (function - 4096) >> 47 == 0 ? function : word;
}

/* Everything is to lie in the one heap. Finds how freed memory is marked there, and how the addresses of functions are
   hidden that are called when a thread ends. */
static void veriloop_one_heap() {
    static char object;
    mallopt(M_MMAP_THRESHOLD, 1 << 25);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_ARENA_MAX, 1);
    unsigned long* volatile const words = static_cast<unsigned long*>(malloc(24));
    words[1] = 0;
    free(words);
    const volatile unsigned long* const freed = words;
    veriloop_freed = freed[1];
    veriloop_heap = veriloop_heap_start();
    if (!veriloop_heap || abi::__cxa_thread_atexit(veriloop_nothing, &object, &object)) return;
    const unsigned long sought = reinterpret_cast<unsigned long>(&object);
    const unsigned long* const end = static_cast<const unsigned long*>(sbrk(0));
    for (const unsigned long* word = reinterpret_cast<const unsigned long*>(veriloop_heap) + 1; word < end; ++word) {
        if (*word != sought) continue;
#ifdef __x86_64__
        veriloop_guard = (word[-1] >> 17) | (word[-1] << 47);
#else
        veriloop_guard = word[-1];
#endif
        veriloop_guard ^= reinterpret_cast<unsigned long>(&veriloop_nothing);
    }
}

static void veriloop_watch(const struct veriloop_run& run) {
    if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE) || !run.states) return;
    dl_iterate_phdr(veriloop_segment, nullptr);
    void* const buffer = mmap(nullptr, VERILOOP_BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!veriloop_heap || buffer == MAP_FAILED || __start_veriloop_private < veriloop_statics[0]
        || __stop_veriloop_private > veriloop_statics[1]) return;
    veriloop_buffer = static_cast<char*>(buffer);
    setvbuf(stdout, veriloop_buffer, _IOFBF, VERILOOP_BUFFER);
    veriloop_states = open(veriloop_states_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (veriloop_states >= 0) veriloop_moment = FIRST_STEP;
}

static void veriloop_digest(unsigned long (&lanes)[4], const char* from, const char* to) {
    const unsigned long size = static_cast<unsigned long>(to - from);
    unsigned long word[4];
    for (; to - from >= 32; from += 32) {
        memcpy(word, from, 32);
        for (int i = 0; i < 4; ++i) {
            lanes[i] = (lanes[i] ^ veriloop_plain(word[i])) * 0x9e3779b97f4a7c15UL;
            lanes[i] ^= lanes[i] >> 29;
        }
    }
    memset(word, 0, 32);
    memcpy(word, from, static_cast<size_t>(to - from));
    for (int i = 0; i < 4; ++i) {
        lanes[i] = (lanes[i] ^ word[i] ^ size) * 0xc2b2ae3d27d4eb4fUL;
        lanes[i] ^= lanes[i] >> 31;
    }
}

static void veriloop_go_on_like(int index, const struct veriloop_state& state) {
    char text[100];
    const int length = snprintf(text, sizeof text, "%d %lu %lu", index, state.step, state.output);
    const int file = open(veriloop_like_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, text, static_cast<size_t>(length)) != length) _exit(125);
    _exit(0);
}

static void veriloop_note(const struct veriloop_run& run, VerilatedContext* context) {
    veriloop_moment *= 2;
    char* const top = static_cast<char*>(sbrk(0));
    const struct mallinfo2 memory = mallinfo2();
    if (!veriloop_selected || memory.hblks || memory.arena > static_cast<size_t>(top - veriloop_heap)) {
        veriloop_moment = ~0UL;
        return;
    }
    std::fflush(stdout);
    memset(veriloop_buffer, 0, VERILOOP_BUFFER);
    const unsigned version = *veriloop_selected;
    const int reset = context->randReset();
    *veriloop_selected = 0;
    context->randReset(0);
    struct veriloop_state state = {veriloop_step, {0, 0}, static_cast<unsigned long>(lseek(1, 0, SEEK_END))};
    unsigned long lanes[4] = {1, 2, 3, 4};
    const VlRNG random = VlRNG::vl_thread_rng();
    veriloop_digest(lanes, reinterpret_cast<const char*>(&random), reinterpret_cast<const char*>(&random + 1));
    veriloop_digest(lanes, veriloop_statics[0], __start_veriloop_private);
    veriloop_digest(lanes, __stop_veriloop_private, veriloop_statics[1]);
    veriloop_digest(lanes, veriloop_heap, top);
    *veriloop_selected = version;
    context->randReset(reset);
    state.digest[0] = lanes[0] + 3 * lanes[1];
    state.digest[1] = lanes[2] + 5 * lanes[3];
    for (int i = 0; i < run.likes; ++i) {
        struct veriloop_state known;
        const int file = open(run.like[i].path, O_RDONLY);
        if (file < 0) continue;
        const long got = pread(file, &known, sizeof known, static_cast<long>(veriloop_moments * sizeof known));
        close(file);
        if (got == static_cast<long>(sizeof known) && known.step == state.step && state.step >= run.like[i].from
            && known.digest[0] == state.digest[0] && known.digest[1] == state.digest[1]) veriloop_go_on_like(i, known);
    }
    if (write(veriloop_states, &state, sizeof state) != static_cast<long>(sizeof state)) _exit(125);
    ++veriloop_moments;
}
#else
static void veriloop_one_heap() {}
static void veriloop_watch(const struct veriloop_run&) {}
static void veriloop_note(const struct veriloop_run&, VerilatedContext*) { veriloop_moment = ~0UL; }
#endif
""".replace("FIRST_STEP", str(_FIRST_STEP))
"""For C++ behind `FORK`: `veriloop_watch` once a run, `veriloop_note` where `veriloop_step` is `veriloop_moment`."""


@dataclass(frozen=True, slots=True)
class GoesOn:
    """A run broke off because it goes on like a known one."""

    index: int
    """Which of those that it was compared with."""
    step: int
    """The time steps before that."""
    output_bytes: int
    """What the known run had written by then."""


def read_goes_on(base: Path) -> GoesOn | None:
    """How a run went on, by the path of its files without suffix; none for one that ran to its end."""
    path = base.with_name(base.name + LIKE)
    if not path.is_file():
        return None
    return GoesOn(*map(int, path.read_text().split()))


def states_file(base: Path) -> Path:
    """Where a run has noted its states."""
    return base.with_name(base.name + STATES)


def has_states(base: Path) -> bool:
    """Whether another run can be compared with this one."""
    path = states_file(base)
    return path.is_file() and path.stat().st_size >= _RECORD.size


def is_comparable(directory: Path) -> bool:
    """Whether the digest of a model that Verilator wrote holds all that its run depends on.

    Files and commands do not lie in its memory; and what its variables start with must have its say only before the
    first time step.
    """
    for path in directory.glob("Vtop*.cpp"):
        content = path.read_bytes()
        if _OUTSIDE.search(content):
            return False
        if _RESET in content and not all(_SETS_FIRST.search(line) for line in _resetting(content)):
            return False
    return True


def _resetting(content: bytes) -> Iterator[bytes]:
    """The first lines of the functions that set a variable to its start state."""
    starts = [(found.start(), found[0]) for found in _FUNCTION.finditer(content)]
    for found in re.finditer(_RESET, content):
        yield next((line for start, line in reversed(starts) if start < found.start()), b"")
