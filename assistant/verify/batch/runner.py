"""One program, many runs: it forks a process a run, so that what one run does costs itself only.

Forking after the program is loaded saves its start, which is most of a short run under Icarus. Each process has limits
of its own, its own output file and, where the testbench writes files, its own directory.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import OUTPUT_LIMIT_BYTES, Completed, execute
from veriloop.assistant.isolation.confinement import Confinement, Isolation

OBSERVED = ".reached"
"""What a run's file with what it was told is called, behind the run's number: a byte a version, 1 where it was told."""
_JOBS = "VERILOOP_BATCH"
_FILE_LIMIT_BYTES = 256_000_000
_WALL_FACTOR = 5
"""A run's limit is on the CPU's time; one that sleeps ends when so many times that have passed."""
_STARTED_S = 30.0

FORK = r"""
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct veriloop_run { int version, reset, seed, pid, done; double started; };
static char veriloop_told_path[4200];

static double veriloop_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void veriloop_enter(const char* base, int index, int own, double cpu_s, long file_limit, int parent) {
    char path[4096];
    sigset_t none;
    struct rlimit limit;
    struct itimerval timer;
    int log;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(125);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    snprintf(path, sizeof path, "%s/%d.log", base, index);
    log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    if (log < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) _exit(125);
    close(log);
    snprintf(path, sizeof path, "%s/%d", base, index);
    snprintf(veriloop_told_path, sizeof veriloop_told_path, "%sTOLD", path);
    if (own && chdir(path)) _exit(125);
    limit.rlim_cur = limit.rlim_max = (rlim_t)file_limit;
    setrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = limit.rlim_max = (rlim_t)4 << 30;
    setrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = limit.rlim_max = 0;
    setrlimit(RLIMIT_CORE, &limit);
    memset(&timer, 0, sizeof timer);
    timer.it_value.tv_sec = (long)cpu_s;
    timer.it_value.tv_usec = (long)((cpu_s - (double)(long)cpu_s) * 1e6);
    setitimer(ITIMER_PROF, &timer, NULL);
}

static void veriloop_cut(const char* base, int index, long most) {
    char path[4096];
    char* tail;
    long size, half = most / 2;
    FILE* file;
    snprintf(path, sizeof path, "%s/%d.log", base, index);
    file = fopen(path, "r+");
    if (!file) return;
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    if (size > most && (tail = (char*)malloc((size_t)half))) {
        fseek(file, -half, SEEK_END);
        half = (long)fread(tail, 1, (size_t)half, file);
        fseek(file, most - half, SEEK_SET);
        fputs("\n[... output cut ...]\n", file);
        fwrite(tail, 1, (size_t)half, file);
        fflush(file);
        if (ftruncate(fileno(file), ftell(file))) perror("ftruncate");
        free(tail);
    }
    fclose(file);
}

/* Returns in each run's own process with what it is to do; the process that calls it never comes back. */
static struct veriloop_run veriloop_fork(void) {
    static struct veriloop_run nothing;
    const char* name = getenv("VERILOOP_BATCH");
    FILE* file = name ? fopen(name, "r") : NULL;
    int jobs, own, nice_by, count, next = 0, running = 0, left, i, me = getpid();
    long file_limit, output_limit;
    double cpu_s, wall_s;
    char base[4096];
    struct veriloop_run* runs;
    sigset_t child;
    if (!file) return nothing;
    if (fscanf(file, "%d %d %d %lf %lf %ld %ld %d", &jobs, &own, &nice_by, &cpu_s, &wall_s, &file_limit, &output_limit,
               &count) != 8) exit(125);
    if (fscanf(file, " %4095[^\n]", base) != 1) exit(125);
    runs = (struct veriloop_run*)calloc((size_t)count + 1, sizeof *runs);
    for (i = 0; i < count; ++i)
        if (fscanf(file, "%d %d %d", &runs[i].version, &runs[i].reset, &runs[i].seed) != 3) exit(125);
    fclose(file);
    if (nice_by && nice(nice_by) == -1) errno = 0;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    left = count;
    while (left) {
        struct timespec pause = {0, 20000000};
        int status, pid;
        struct rusage used;
        while (running < jobs && next < count) {
            fflush(NULL);
            runs[next].started = veriloop_now();
            pid = fork();
            if (pid == 0) {
                veriloop_enter(base, next, own, cpu_s, file_limit, me);
                return runs[next];
            }
            if (pid < 0) exit(125);
            runs[next++].pid = pid;
            ++running;
        }
        while ((pid = wait4(-1, &status, WNOHANG, &used)) > 0) {
            for (i = 0; i < next && (runs[i].pid != pid || runs[i].done); ++i) {}
            if (i == next) continue;
            runs[i].done = 1;
            veriloop_cut(base, i, output_limit);
            printf("%d %d %.6f %.6f\n", i, status, veriloop_now() - runs[i].started,
                   (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
                   + 1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec));
            --running;
            --left;
        }
        for (i = 0; i < next; ++i)
            if (!runs[i].done && veriloop_now() - runs[i].started > wall_s) kill(runs[i].pid, SIGPROF);
        if (left && (running == jobs || next == count)) sigtimedwait(&child, NULL, &pause);
    }
    fflush(stdout);
    _exit(0);
}
""".replace("TOLD", OBSERVED)
"""C and C++ alike: `veriloop_fork()` returns once in the process of each run."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run: which version, from which start state, by which seed."""

    version: int
    reset: int = 0
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the runs of a batch may take."""

    cpu_s: float
    """CPU seconds of one run."""
    parallel: int = 1
    nice: int = 0


def run_jobs(
    argv: Sequence[str | Path],
    jobs: Sequence[Job],
    *,
    directory: Path,
    cwd: Path,
    own: bool = False,
    limits: Limits,
    cancel: CancelToken,
    isolation: Isolation,
    env: Mapping[str, str] | None = None,
) -> list[Completed]:
    """Runs a program that calls `veriloop_fork` and returns what each run did, in the order of the jobs.

    Args:
        argv: the program.
        jobs: what to run.
        directory: a new directory for the outputs.
        cwd: where the runs start, unless each has a directory of its own.
        own: each run starts in `directory/INDEX`, which exists.
        limits: of each run.
        cancel: kills all of them.
        isolation: holds all of them at once, so that it costs a run next to nothing.
        env: added to the environment.

    Raises:
        ToolFailed: the program ended before it had run all.
    """
    wall_s = _WALL_FACTOR * limits.cpu_s + 1
    spec = directory / "jobs"
    head = (
        f"{limits.parallel} {int(own)} {limits.nice} {limits.cpu_s:.3f} {wall_s:.3f} {_FILE_LIMIT_BYTES} "
        f"{OUTPUT_LIMIT_BYTES} {len(jobs)}\n{directory}\n"
    )
    spec.write_text(head + "".join(f"{job.version} {job.reset} {job.seed}\n" for job in jobs))
    rounds = -(-len(jobs) // limits.parallel)
    done = execute(
        argv,
        cwd=cwd,
        timeout_s=_STARTED_S + rounds * wall_s,
        cancel=cancel,
        env={**(env or {}), _JOBS: str(spec)},
        confine=Confinement(
            isolation=isolation,
            writable=(cwd, directory),
            readable=tuple(Path(word) for word in map(str, argv) if word.startswith("/")),
        ),
    )
    ended = dict(_ended(line) for line in done.output.splitlines() if line[:1].isdigit())
    if len(ended) != len(jobs):
        raise ToolFailed("the runs of a batch did not all end", output=done.output[-2000:])
    words = tuple(map(str, argv))
    return [_completed(words, directory / f"{index}.log", *ended[index]) for index in range(len(jobs))]


def told(directory: Path, index: int) -> frozenset[int]:
    """The versions that a run told of, by the directory that `run_jobs` was given and the job's index.

    Raises:
        ToolFailed: the run did not begin to tell.
    """
    try:
        content = (directory / f"{index}{OBSERVED}").read_bytes()
    except FileNotFoundError as error:
        raise ToolFailed("a run of a batch did not say what it met") from error
    return frozenset(version for version, byte in enumerate(content) if byte)


def _ended(line: str) -> tuple[int, tuple[int, float, float]]:
    index, status, wall_s, cpu_s = line.split()
    return int(index), (int(status), float(wall_s), float(cpu_s))


def _completed(argv: tuple[str, ...], log: Path, status: int, wall_s: float, cpu_s: float) -> Completed:
    returncode = os.waitstatus_to_exitcode(status)
    return Completed(
        argv=argv,
        returncode=returncode,
        output=log.read_bytes().decode("utf-8", errors="replace") if log.is_file() else "",
        wall_s=wall_s,
        cpu_s=cpu_s,
        timed_out=returncode == -signal.SIGPROF,
    )
