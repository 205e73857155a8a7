"""The part of a batch's program that forks: one process a run, each held to limits of its own.

The process that forks touches no memory of the heap and writes by system calls only, and all start at the same
addresses, so that two runs that have come to the same state have the same bytes there.
"""

from __future__ import annotations

TOLD = ".reached"
"""What a run's file with what it was told is called, behind the run's number."""
STATES = ".states"
"""The same for the states that it went through."""
LIKE = ".like"
"""The same for which of the known runs it has come to go on like."""
JOBS = "VERILOOP_BATCH"
"""The environment's name for the file with the jobs."""
LIKES = 2
"""The most runs that one run is compared with."""

_NAMES = f"""
#define VERILOOP_TOLD "{TOLD}"
#define VERILOOP_STATES "{STATES}"
#define VERILOOP_LIKE "{LIKE}"
#define VERILOOP_JOBS "{JOBS}"
#define VERILOOP_LIKES {LIKES}
"""

FORK = (
    _NAMES
    + r"""#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define VERILOOP_PRIVATE __attribute__((section("veriloop_private")))

struct veriloop_like { const char* path; unsigned long from; };
struct veriloop_run {
    int version, reset, seed, pid, done, likes, states;
    double started;
    struct veriloop_like like[VERILOOP_LIKES];
};
VERILOOP_PRIVATE static char veriloop_told_path[4200] = "", veriloop_states_path[4200] = "";
VERILOOP_PRIVATE static char veriloop_like_path[4200] = "";
VERILOOP_PRIVATE static volatile unsigned long veriloop_step = 0;
VERILOOP_PRIVATE static unsigned long veriloop_seen = 0;
VERILOOP_PRIVATE static int veriloop_ticks = 0;
VERILOOP_PRIVATE static double veriloop_most_s = 0;

static double veriloop_clock(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct timeval veriloop_time(double seconds) {
    struct timeval t;
    t.tv_sec = (long)seconds;
    t.tv_usec = (long)((seconds - (double)(long)seconds) * 1e6);
    return t;
}

/* Ends a run that is out of time, or in which no time step has ended for so many ticks. */
enum { VERILOOP_TICKS = 4 };
static void veriloop_tick(int number, siginfo_t* info, void* context) {
    (void)context;
    veriloop_ticks = veriloop_step == veriloop_seen ? veriloop_ticks + 1 : 0;
    if (info->si_code <= 0 || veriloop_ticks >= VERILOOP_TICKS
        || veriloop_clock(CLOCK_PROCESS_CPUTIME_ID) >= veriloop_most_s) {
        signal(number, SIG_DFL);
        raise(number);
    }
    veriloop_seen = veriloop_step;
}

static void veriloop_enter(const char* base, int index, int own, double cpu_s, double stalled_s, long file_limit,
                           int parent) {
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
    log = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    if (log < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) _exit(125);
    close(log);
    snprintf(path, sizeof path, "%s/%d", base, index);
    snprintf(veriloop_told_path, sizeof veriloop_told_path, "%s" VERILOOP_TOLD, path);
    snprintf(veriloop_states_path, sizeof veriloop_states_path, "%s" VERILOOP_STATES, path);
    snprintf(veriloop_like_path, sizeof veriloop_like_path, "%s" VERILOOP_LIKE, path);
    if (own && chdir(path)) _exit(125);
    limit.rlim_cur = limit.rlim_max = (rlim_t)file_limit;
    setrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = limit.rlim_max = (rlim_t)4 << 30;
    setrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = limit.rlim_max = 0;
    setrlimit(RLIMIT_CORE, &limit);
    memset(&timer, 0, sizeof timer);
    timer.it_value = veriloop_time(cpu_s);
    if (stalled_s > 0 && stalled_s < cpu_s) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_sigaction = veriloop_tick;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        sigaction(SIGPROF, &action, NULL);
        veriloop_seen = ~0UL;
        veriloop_most_s = cpu_s;
        timer.it_value = timer.it_interval = veriloop_time(stalled_s / VERILOOP_TICKS);
    }
    setitimer(ITIMER_PROF, &timer, NULL);
}

static void veriloop_cut(const char* base, int index, long most) {
    static const char words[] = "\n[... output cut ...]\n";
    char path[4096];
    struct stat is;
    long half = most / 2;
    int file;
    snprintf(path, sizeof path, "%s/%d.log", base, index);
    file = open(path, O_RDWR);
    if (file < 0) return;
    if (!fstat(file, &is) && is.st_size > most) {
        void* const tail = mmap(NULL, (size_t)half, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (tail != MAP_FAILED) {
            const long got = pread(file, tail, (size_t)half, is.st_size - half);
            const long at = most - half, behind = at + (long)sizeof words - 1;
            if (got < 0 || pwrite(file, words, sizeof words - 1, at) < 0 || pwrite(file, tail, (size_t)got, behind) < 0
                || ftruncate(file, behind + got)) _exit(125);
            munmap(tail, (size_t)half);
        }
    }
    close(file);
}

static char* veriloop_jobs(const char* name) {
    struct stat is;
    char* text;
    long size = 0, got;
    const int file = name ? open(name, O_RDONLY) : -1;
    if (file < 0) return NULL;
    if (fstat(file, &is)) _exit(125);
    text = (char*)mmap(NULL, (size_t)is.st_size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (text == MAP_FAILED) _exit(125);
    while ((got = read(file, text + size, (size_t)(is.st_size - size))) > 0) size += got;
    close(file);
    return text;
}

static char* veriloop_line(char** text) {
    char* const line = *text;
    char* const end = strchr(line, '\n');
    if (!end) _exit(125);
    *end = 0;
    *text = end + 1;
    return line;
}

/* Starts the program once more at addresses that are the same each time, where the system lets it. */
static void veriloop_fix_addresses(char** argv) {
    const int now = personality(0xffffffff);
    if (!argv || now < 0 || (now & ADDR_NO_RANDOMIZE) || getenv("VERILOOP_FIXED")) return;
    if (personality((unsigned long)now | ADDR_NO_RANDOMIZE) < 0 || setenv("VERILOOP_FIXED", "1", 1)) return;
    execv(argv[0], argv);
}

/* Returns in each run's own process with what it is to do; the process that calls it never comes back. */
static struct veriloop_run veriloop_fork(char** argv) {
    VERILOOP_PRIVATE static struct veriloop_run nothing = {0, 0, 0, 0, 0, 0, 0, 0.0, {{NULL, 0}}};
    int jobs, own, states, nice_by, count, next = 0, running = 0, left, i, j, me = getpid();
    long file_limit, output_limit;
    double cpu_s, stalled_s, wall_s;
    char* base;
    char* text;
    struct veriloop_run* runs;
    sigset_t child;
    veriloop_fix_addresses(argv);
    text = veriloop_jobs(getenv(VERILOOP_JOBS));
    if (!text) return nothing;
    if (sscanf(veriloop_line(&text), "%d %d %d %d %lf %lf %lf %ld %ld %d", &jobs, &own, &states, &nice_by, &cpu_s,
               &stalled_s, &wall_s, &file_limit, &output_limit, &count) != 10) _exit(125);
    base = veriloop_line(&text);
    runs = (struct veriloop_run*)mmap(NULL, ((size_t)count + 1) * sizeof *runs, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (runs == MAP_FAILED) _exit(125);
    for (i = 0; i < count; ++i) {
        struct veriloop_run* const run = &runs[i];
        if (sscanf(veriloop_line(&text), "%d %d %d %d", &run->version, &run->reset, &run->seed, &run->likes) != 4
            || run->likes > VERILOOP_LIKES) _exit(125);
        run->states = states;
        for (j = 0; j < run->likes; ++j) {
            char* path;
            run->like[j].from = strtoul(veriloop_line(&text), &path, 10);
            run->like[j].path = path + 1;
        }
    }
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
            runs[next].started = veriloop_clock(CLOCK_MONOTONIC);
            pid = fork();
            if (pid == 0) {
                veriloop_enter(base, next, own, cpu_s, stalled_s, file_limit, me);
                return runs[next];
            }
            if (pid < 0) _exit(125);
            runs[next++].pid = pid;
            ++running;
        }
        while ((pid = wait4(-1, &status, WNOHANG, &used)) > 0) {
            char line[200];
            int length;
            for (i = 0; i < next && (runs[i].pid != pid || runs[i].done); ++i) {}
            if (i == next) continue;
            runs[i].done = 1;
            veriloop_cut(base, i, output_limit);
            length = snprintf(line, sizeof line, "%d %d %.6f %.6f\n", i, status,
                              veriloop_clock(CLOCK_MONOTONIC) - runs[i].started,
                              (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
                              + 1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec));
            if (write(1, line, (size_t)length) != length) _exit(125);
            --running;
            --left;
        }
        for (i = 0; i < next; ++i)
            if (!runs[i].done && veriloop_clock(CLOCK_MONOTONIC) - runs[i].started > wall_s) kill(runs[i].pid, SIGPROF);
        if (left && (running == jobs || next == count)) sigtimedwait(&child, NULL, &pause);
    }
    _exit(0);
}
"""
)
"""C and C++ alike: `veriloop_fork(argv)` returns once in the process of each run.

Without `argv` the program is not started anew to be at the same addresses each time.
"""
