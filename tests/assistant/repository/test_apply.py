"""Changing the user's files: compare and swap, all or nothing, and back."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from veriloop.assistant.errors import Cancelled, PatchConflict, RepositoryError, StaleTree
from veriloop.assistant.repository.apply import write
from veriloop.assistant.repository.journal import recover
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.repository.undo import undo

# The children that are forked only do what they are told and are killed; no thread of the parent matters to them.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

PATH = "rtl/counter.v"
CHANGE: dict[str, bytes | None] = {
    PATH: b"changed\r\n",
    "rtl/second.v": b"changed too\n",
    "new/dir/n.v": b"new\n",
    "b.v": None,
}


@pytest.fixture
def work(clone):
    """A repository with three files, one edited, one staged."""
    clone.write("rtl/second.v", b"second\n").chmod(0o755)
    clone.write("b.v", b"b\n")
    clone.commit()
    clone.write("rtl/second.v", b"second, edited\n")
    clone.write("staged.v", b"s\n")
    clone.git("add", "staged.v")
    return clone


def test_a_change_and_its_undo(work):
    before = work.state()
    repository = work.open()
    applied = write(repository, repository.snapshot(), CHANGE)
    assert applied.paths == tuple(sorted(CHANGE))
    assert (work.root / PATH).read_bytes() == b"changed\r\n"
    assert (work.root / "new/dir/n.v").read_bytes() == b"new\n"
    assert not (work.root / "b.v").exists()
    assert (work.root / "rtl/second.v").stat().st_mode & 0o777 == 0o755
    after = work.state()
    assert {path for path in before | after if before.get(path) != after.get(path)} == set(CHANGE)
    assert undo(repository).paths == tuple(sorted(CHANGE))
    assert work.state() == before
    assert not (work.root / "new").exists()
    assert (work.root / "rtl/second.v").stat().st_mode & 0o777 == 0o755
    with pytest.raises(RepositoryError, match="nothing to undo"):
        undo(repository)


def test_there_is_nothing_to_undo_at_first(clone):
    with pytest.raises(RepositoryError, match="nothing to undo"):
        undo(clone.open())


@pytest.mark.parametrize("path", sorted(CHANGE))
def test_a_file_that_was_edited_meanwhile_is_not_overwritten(work, path):
    repository = work.open()
    base = repository.snapshot()
    work.write(path, b"the user's edit\n")
    before = work.state()
    with pytest.raises(StaleTree, match=path):
        write(repository, base, CHANGE)
    assert work.state() == before
    assert recover(repository) is None


def test_other_edits_do_not_matter(work):
    repository = work.open()
    base = repository.snapshot()
    work.write("staged.v", b"the user's edit\n")
    write(repository, base, CHANGE)
    assert (work.root / "staged.v").read_bytes() == b"the user's edit\n"


@pytest.mark.parametrize("path", sorted(CHANGE))
def test_undo_leaves_what_was_edited_since(work, path):
    repository = work.open()
    write(repository, repository.snapshot(), CHANGE)
    work.write(path, b"the user's edit\n")
    before = work.state()
    with pytest.raises(StaleTree, match=path):
        undo(repository)
    assert work.state() == before


def test_undo_names_a_file_that_is_gone(work):
    repository = work.open()
    write(repository, repository.snapshot(), CHANGE)
    (work.root / PATH).unlink()
    with pytest.raises(StaleTree, match=PATH):
        undo(repository)


def test_no_link_is_followed(work, tmp_path):
    repository = work.open()
    base = repository.snapshot()
    (work.root / "rtl").rename(tmp_path / "elsewhere")
    (work.root / "rtl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StaleTree, match="symbolic link"):
        write(repository, base, {PATH: b"x"})
    assert (tmp_path / "elsewhere" / "counter.v").read_bytes() != b"x"


def test_a_path_out_of_the_tree_is_refused(work):
    repository = work.open()
    with pytest.raises(PatchConflict):
        write(repository, repository.snapshot(), {"../x": b"x"})


def test_what_the_file_system_refuses_changes_nothing(work, monkeypatch):
    repository = work.open()
    base, before = repository.snapshot(), work.state()
    replace = Path.replace

    def refuse(source: Path, target: Path) -> Path:
        if target.name == "second.v":
            raise OSError(28, "No space left on device", str(target))
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(RepositoryError, match="No space left on device"):
        write(repository, base, CHANGE)
    assert work.state() == before


def test_a_linked_worktree_has_a_record_of_its_own(work, tmp_path):
    work.commit()
    work.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    linked = Repository.open(tmp_path / "linked", cache=work.cache)
    write(linked, linked.snapshot(), {PATH: b"x"})
    with pytest.raises(RepositoryError, match="nothing to undo"):
        undo(work.open())
    assert undo(linked).paths == (PATH,)


_WATCHED = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}


def run_killed(work, action: Callable[[], object], deadly: int) -> bool:
    """Does it in a child that is killed right before the given access to the work tree; whether it lived."""
    pid = os.fork()
    if pid == 0:
        count = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            if event in _WATCHED and str(work.root) in str(arguments[0]):
                count += 1
                if count == deadly:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            action()
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status == 0


def run_cancelled(action: Callable[[], object], root: Path, at: int) -> bool:
    """Does it in a child that Ctrl-C reaches right before the given access to the work tree; whether it was heard."""
    pid = os.fork()
    if pid == 0:
        count = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            if event in _WATCHED and str(root) in str(arguments[0]):
                count += 1
                if count == at:
                    raise Cancelled

        sys.addaudithook(hook)
        try:
            action()
            os._exit(0)
        except Cancelled:
            os._exit(1)
        finally:
            os._exit(2)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, 1)
    return status == 1


def test_ctrl_c_at_any_point_leaves_all_or_nothing_at_once(work):
    repository = work.open()
    base, old = repository.snapshot(), work.state()
    outcomes = set()
    for at in range(1, 200):
        heard = run_cancelled(lambda: write(repository, base, CHANGE), work.root, at)
        assert not (work.root / ".git/veriloop/journal.json").exists()
        outcomes.add(work.state() == old)
        if work.state() != old:
            undo(repository)
            assert work.state() == old
        if not heard:
            break
    assert not heard
    assert at > 10
    assert outcomes == {True, False}


@pytest.mark.parametrize("what", ["apply", "undo"])
def test_a_kill_at_any_point_leaves_all_or_nothing(work, what):
    """Kills the process before its first, second, third ... access to the file system, until it lives."""
    repository = work.open()
    base, old = repository.snapshot(), work.state()
    write(repository, base, CHANGE)
    new = work.state()
    undo(repository)
    first, second = (old, new) if what == "apply" else (new, old)
    outcomes = set()
    for deadly in range(1, 200):
        if what == "undo":
            write(repository, base, CHANGE)
        lived = run_killed(
            work, lambda: undo(repository) if what == "undo" else write(repository, base, CHANGE), deadly
        )
        recover(repository)
        state = work.state()
        assert state in (first, second), f"killed before access {deadly}"
        assert recover(repository) is None
        outcomes.add(state == second)
        if lived:
            break
        if state == new:
            undo(repository)
        assert work.state() == old
    assert lived
    assert deadly > 20
    assert outcomes == {True, False}


def killed_after_the_first_rename(work, repository: Repository, start: int = 1) -> int:
    """Leaves an unfinished change behind; returns at which access the process died."""
    base = repository.snapshot()
    for deadly in range(start, 100):
        assert not run_killed(work, lambda: write(repository, base, CHANGE), deadly)
        if (work.root / PATH).read_bytes() == CHANGE[PATH]:
            return deadly
        recover(repository)
    pytest.fail("no file was renamed")


def test_a_kill_while_recovering_is_recovered_from(work):
    repository = work.open()
    old = work.state()
    half = 1
    for deadly in range(1, 100):
        half = killed_after_the_first_rename(work, repository, half)
        lived = run_killed(work, lambda: recover(repository), deadly)
        recover(repository)
        assert work.state() == old
        if lived:
            return
    pytest.fail("never recovered")


def test_an_edit_after_the_kill_is_kept(work):
    repository = work.open()
    killed_after_the_first_rename(work, repository)
    work.write(PATH, b"the user's edit\n")
    recovered = recover(repository)
    assert recovered is not None
    assert recovered.left == (PATH,)
    assert (work.root / PATH).read_bytes() == b"the user's edit\n"
    assert recover(repository) is None


def test_nothing_is_changed_where_there_are_no_locks(work, monkeypatch):
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    repository = work.open()
    base = repository.snapshot()
    before = work.state()
    without = SimpleNamespace(flock=no_locks, LOCK_EX=fcntl.LOCK_EX, LOCK_NB=fcntl.LOCK_NB)
    monkeypatch.setattr("veriloop.assistant.repository.journal.fcntl", without)
    with pytest.raises(RepositoryError, match="cannot be locked: No locks available"):
        write(repository, base, CHANGE)
    assert work.state() == before


def test_two_at_once_do_not_mix(work):
    repository = work.open()
    base = repository.snapshot()
    script = (
        "import fcntl, os, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX);"
        "print('locked', flush=True); time.sleep(60)"
    )
    (work.root / ".git/veriloop").mkdir()
    lock = str(work.root / ".git/veriloop/lock")
    with subprocess.Popen([sys.executable, "-c", script, lock], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(RepositoryError, match="another veriloop"):
            write(repository, base, CHANGE)
        process.kill()
    write(repository, base, CHANGE)
