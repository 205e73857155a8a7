"""Runs a reference model in a process that can do nothing but compute. Started as a program, never imported.

Reads `{"source", "entry", "steps", "memory_bytes"}` as JSON from stdin, writes `{"outputs"}` or `{"fault"}` to stdout.
The kernel refuses every system call that opens, connects, starts or signals anything (seccomp); where it does not
offer that, nothing runs.
"""

from __future__ import annotations

import ctypes
import json
import platform
import resource
import struct
import sys
from typing import Any

_ALLOWED = {
    # read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn mremap madvise
    # exit futex exit_group clock_gettime getrandom sigaltstack restart_syscall
    "x86_64": (0xC000003E, (0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 25, 28, 60, 202, 231, 228, 318, 131, 219)),
    "aarch64": (
        0xC00000B7,
        (63, 64, 57, 80, 62, 222, 226, 215, 214, 134, 135, 139, 216, 233, 93, 98, 94, 113, 278, 132, 128),
    ),
}
_LD, _JEQ, _JGE, _RET = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_X32 = 0x40000000


def lock(memory_bytes: int) -> bool:
    """Limits memory, and leaves only the system calls that computing needs; false where the kernel cannot."""
    found = _ALLOWED.get(platform.machine())
    if found is None:
        return False
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 26, 1 << 26))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    architecture, numbers = found
    code = [(_LD, 0, 0, 4), (_JEQ, 1, 0, architecture), (_RET, 0, 0, _KILL), (_LD, 0, 0, 0)]
    code.append((_JGE, 0, 1, _X32))
    code.append((_RET, 0, 0, _REFUSE))
    for number in numbers:
        code += [(_JEQ, 0, 1, number), (_RET, 0, 0, _ALLOW)]
    code.append((_RET, 0, 0, _REFUSE))
    program = b"".join(struct.pack("HBBI", *line) for line in code)
    buffer = ctypes.create_string_buffer(program)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    library = ctypes.CDLL(None, use_errno=True)
    library.prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, None, 0, 0) != 0:
        return False
    given = Program(len(code), ctypes.addressof(buffer))
    return bool(library.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.addressof(given), 0, 0) == 0)


def scope() -> dict[str, Any]:
    """The names that a model may use."""
    import builtins
    import collections
    import copy
    import enum
    import functools
    import itertools
    import math

    plain = (
        "abs all any bin bool bytes bytearray callable chr classmethod dict divmod enumerate filter float format "
        "frozenset hasattr hash hex int isinstance issubclass iter len list map max min next object oct ord pow "
        "property range repr reversed round set slice sorted staticmethod str sum super tuple zip "
        "__build_class__ Exception ValueError TypeError KeyError IndexError AttributeError AssertionError "
        "NotImplementedError ZeroDivisionError ArithmeticError LookupError RuntimeError StopIteration"
    )
    names: dict[str, Any] = {name: getattr(builtins, name) for name in plain.split()}
    names["print"] = lambda *words, **options: None
    given: dict[str, Any] = {
        **{name: getattr(collections, name) for name in ("deque", "defaultdict", "OrderedDict", "Counter")},
        **{name: getattr(enum, name) for name in ("Enum", "IntEnum", "auto")},
        "reduce": functools.reduce,
        **{
            name: getattr(itertools, name)
            for name in ("product", "chain", "repeat", "accumulate", "permutations", "combinations")
        },
        "copy": copy.copy,
        "deepcopy": copy.deepcopy,
        "math": math,
        **{name: getattr(math, name) for name in ("ceil", "floor", "log2", "gcd")},
    }
    return {"__builtins__": names, "__name__": "model", **given}


def fault(error: BaseException) -> str:
    """What went wrong, in words."""
    if isinstance(error, RecursionError):
        return "calls itself without end: a combinational loop"
    if isinstance(error, MemoryError):
        return "needs more memory than it may have"
    return f"{type(error).__name__}: {error}"[:200]


def run(task: dict[str, Any], names: dict[str, Any], at: list[int]) -> list[dict[str, int]]:
    """The outputs of every step; `at` holds the number of the step that runs."""
    exec(compile(task["source"], "model", "exec"), names)
    entry = names[task["entry"]]
    evaluate = entry if task["entry"] == "eval" else entry().eval
    outputs = []
    for number, inputs in enumerate(task["steps"]):
        at[0] = number
        said = evaluate(dict(inputs))
        if not isinstance(said, dict):
            raise TypeError("eval returned no dictionary")
        outputs.append({str(name): int(value) for name, value in said.items() if value is not None})
    return outputs


def main() -> None:
    """One task from stdin to stdout."""
    task = json.loads(sys.stdin.read())
    names, at = scope(), [-1]

    def tell(kind: object, error: BaseException, trace: object) -> None:
        sys.stdout.write(json.dumps({"fault": fault(error), "step": at[0]}))
        sys.stdout.flush()

    # What is imported and built after the lock would need files.
    json.dumps({"outputs": [{"q": 1}]})
    if not lock(task["memory_bytes"]):
        sys.stdout.write(json.dumps({"unlocked": True}))
        return
    sys.excepthook = tell
    outputs = run(task, names, at)
    sys.stdout.write(json.dumps({"outputs": outputs}))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
