"""Private copies: what is in them, what they can never touch, and that they go."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from veriloop.assistant.errors import ConfigError
from veriloop.assistant.repository.export import export
from veriloop.assistant.repository.private import clean_up, private_directory, remove_tree

PATH = "rtl/counter.v"


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def test_a_copy_holds_the_tree_and_nothing_else(clone, tmp_path):
    clone.write("run.sh", b"#!/bin/sh\n").chmod(0o755)
    clone.write("crlf.v", b"a\r\n")
    (clone.root / "link.v").symlink_to(PATH)
    repository = clone.open()
    copy = export(repository, repository.snapshot(), tmp_path / "copy")
    assert files(copy.root) == {PATH, "run.sh", "crlf.v", "link.v"}
    assert os.access(copy.root / "run.sh", os.X_OK)
    assert (copy.root / "crlf.v").read_bytes() == b"a\r\n"
    assert (copy.root / "link.v").readlink() == Path(PATH)
    assert (copy.added, copy.left_out) == ((), ())


def test_writing_in_a_copy_changes_no_file_of_the_user(clone, tmp_path):
    before = clone.state()
    repository = clone.open()
    copy = export(repository, repository.snapshot(), tmp_path / "copy")
    (copy.root / PATH).write_bytes(b"overwritten in place")
    assert clone.state() == before


def test_links_out_of_the_tree_are_left_out_and_named(clone, tmp_path):
    (tmp_path / "secret").write_text("s")
    (clone.root / "absolute").symlink_to(tmp_path / "secret")
    (clone.root / "climbing").symlink_to("../secret")
    (clone.root / "through").symlink_to("climbing")
    (clone.root / "into_the_checkout").symlink_to(clone.root / PATH)
    (clone.root / "loop_a").symlink_to("loop_b")
    (clone.root / "loop_b").symlink_to("loop_a")
    (clone.root / "self").symlink_to(".")
    repository = clone.open()
    copy = export(repository, repository.snapshot(), tmp_path / "copy")
    names = {path for path, why in copy.left_out}
    assert names == {"absolute", "climbing", "through", "into_the_checkout"}
    assert {"loop_a", "loop_b"} <= {path.name for path in copy.root.iterdir()}


def test_submodules_are_copied_as_they_are_checked_out(clone, make, tmp_path):
    library = make("library")
    clone.git("submodule", "--quiet", "add", str(library.root), "ip/lib")
    clone.git("submodule", "--quiet", "add", str(library.root), "ip/absent")
    clone.commit()
    clone.git("submodule", "--quiet", "deinit", "--force", "ip/absent")
    clone.write("ip/lib/rtl/counter.v", b"edited inside the submodule\n")
    repository = clone.open()
    copy = export(repository, repository.snapshot(), tmp_path / "copy")
    copied = copy.root / "ip/lib/rtl/counter.v"
    assert copied.read_bytes() == b"edited inside the submodule\n"
    assert ("ip/lib", "a submodule, as it is checked out") in copy.added
    assert [path for path, _ in copy.left_out] == ["ip/absent"]
    assert not (copy.root / "ip/lib/.git").exists()
    copied.write_bytes(b"x")
    assert (clone.root / "ip/lib/rtl/counter.v").read_bytes() == b"edited inside the submodule\n"


def test_an_untracked_clone_is_copied_too(clone, tmp_path):
    clone.git("clone", "--quiet", str(clone.root), "vendor/counter")
    repository = clone.open()
    copy = export(repository, repository.snapshot(), tmp_path / "copy")
    assert copy.added == (("vendor/counter", "an untracked clone"),)
    assert (copy.root / "vendor/counter" / PATH).is_file()


def test_ignored_files_that_the_tests_need(clone, tmp_path):
    clone.write(".gitignore", b"build/\n*.hex\n")
    clone.write("build/lib/gen.v", b"generated\n")
    clone.write("build/lib/x.hex", b"00\n")
    clone.write("sim/a.hex", b"01\n")
    clone.write("sim/b.hex", b"02\n")
    (clone.root / "build" / "back").symlink_to(clone.root / PATH)
    (clone.root / "build" / "python").symlink_to(sys.executable)
    os.mkfifo(clone.root / "build" / "pipe")
    repository = clone.open()
    needs = ["build/", "sim/*.hex", "missing", "../clone/rtl", "/etc"]
    copy = export(repository, repository.snapshot(), tmp_path / "copy", needs=needs)
    assert {path for path, _ in copy.added} == {"build", "sim/a.hex", "sim/b.hex"}
    assert {path for path, _ in copy.left_out} == {"missing", "../clone/rtl", "/etc", "build/back"}
    assert files(copy.root) >= {"build/lib/gen.v", "build/lib/x.hex", "build/python", "sim/b.hex"}


def test_what_is_needed_never_replaces_the_tree(clone, tmp_path):
    repository = clone.open()
    tree = repository.write_tree_with(repository.snapshot(), {PATH: b"patched\n"})
    copy = export(repository, tree, tmp_path / "copy", needs=["rtl"])
    assert (copy.root / PATH).read_bytes() == b"patched\n"


def fail_in_a_private_directory(cache: Path) -> None:
    with private_directory(cache) as directory:
        locked = directory / "locked"
        locked.mkdir()
        (locked / "file").touch()
        locked.chmod(0o500)
        raise ZeroDivisionError


def test_a_private_directory_goes_in_every_case(tmp_path):
    with pytest.raises(ZeroDivisionError):
        fail_in_a_private_directory(tmp_path)
    assert list((tmp_path / "trees").iterdir()) == []


def test_only_what_a_dead_process_left_is_removed(tmp_path):
    script = (
        "import sys, time; from pathlib import Path\n"
        "from veriloop.assistant.repository.private import private_directory\n"
        "with private_directory(Path(sys.argv[1])) as d:\n"
        "    (d / 'copy').mkdir(); print(d, flush=True); time.sleep(60)\n"
    )
    search = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True, env=search)
    assert process.stdout is not None
    directory = Path(process.stdout.readline().strip())
    # As where it is killed while it removes its directory, or where what runs in there empties it.
    for path in directory.iterdir():
        remove_tree(path)
    with private_directory(tmp_path) as mine:
        assert clean_up(tmp_path) == 0
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert clean_up(tmp_path) == 1
        assert mine.is_dir()
    assert list((tmp_path / "trees").iterdir()) == []


def test_what_another_host_may_be_using_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "other.example-host")
    trees = tmp_path / "trees"
    with private_directory(tmp_path) as theirs:
        (theirs / "copy").touch()
        lock = theirs.with_name(theirs.name + ".lock")
        assert lock.exists()
        # As where this host does not see that host's locks.
        monkeypatch.setattr(fcntl, "flock", lambda *_: None)
        monkeypatch.setattr(socket, "gethostname", lambda: "here")
        assert clean_up(tmp_path) == 0
        assert (theirs / "copy").exists()
        month_ago = time.time() - 30 * 86_400
        os.utime(lock, (month_ago, month_ago))
        assert clean_up(tmp_path) == 1
    assert list(trees.iterdir()) == []


def test_a_file_system_without_locks(tmp_path, monkeypatch, clone):
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(ConfigError, match="No locks available") as caught, private_directory(tmp_path / "cache"):
        pass
    assert "VERILOOP_CACHE" in caught.value.hint
    assert list((tmp_path / "cache" / "trees").iterdir()) == []
    with pytest.raises(ConfigError, match="No locks available"):
        clone.open().snapshot()


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="the cache"), private_directory(tmp_path / "file"):
        pass


def test_removing_goes_through_read_only_directories(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "c").touch()
    inner.chmod(0o500)
    (tmp_path / "a").chmod(0o500)
    remove_tree(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_commit_is_copied_with_the_submodule_that_it_names(clone, make, tmp_path):
    """What is staged counts: the commit of the submodule, neither what it has since nor what is edited in it."""
    library = make("library")
    clone.git("submodule", "--quiet", "add", str(library.root), "ip/lib")
    clone.commit()
    named = (clone.root / "ip/lib/rtl/counter.v").read_bytes()
    clone.write("ip/lib/rtl/counter.v", b"committed inside since\n")
    clone.git(
        "-C", "ip/lib", "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "-am", "later"
    )
    clone.write("ip/lib/rtl/counter.v", b"edited inside\n")
    repository = clone.open()
    copy = export(repository, repository.index_tree(), tmp_path / "before", committed=True)
    assert (copy.root / "ip/lib/rtl/counter.v").read_bytes() == named
    assert copy.added == ()
    clone.git("add", "ip/lib")
    repository = clone.open()
    copy = export(repository, repository.index_tree(), tmp_path / "after", committed=True)
    assert (copy.root / "ip/lib/rtl/counter.v").read_bytes() == b"committed inside since\n"


def test_a_pointer_of_lfs_is_told_and_other_small_files_are_not(clone, tmp_path):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
    clone.write("mem/boot.hex", pointer)
    clone.write("mem/small.hex", b"00\n")
    clone.commit()
    repository = clone.open()
    assert export(repository, repository.head_tree(), tmp_path / "without").left_out == ()
    clone.write(".gitattributes", b"*.hex filter=lfs -text\n")
    clone.git("add", ".gitattributes")
    repository = clone.open()
    copy = export(repository, repository.index_tree(), tmp_path / "copy", committed=True)
    assert copy.left_out == (("mem/boot.hex", "a pointer of git-lfs, whose content is not here: git lfs pull"),)
    assert (copy.root / "mem/boot.hex").read_bytes() == pointer
