"""Trees of what is on disk, staged and committed, whatever state the user's repository is in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from veriloop.assistant.errors import PatchConflict, RepositoryError
from veriloop.assistant.repository.repository import Repository

NEW = b"module counter(input clk, output reg [3:0] q);\n  always @(posedge clk) q <= q + 2;\nendmodule\n"
PATH = "rtl/counter.v"


def test_a_clean_checkout_is_its_last_commit(clone):
    repository = clone.open()
    head = clone.git("rev-parse", "HEAD^{tree}").strip()
    assert repository.snapshot() == repository.head_tree() == repository.index_tree() == head


def test_a_dirty_tree_is_taken_as_it_is(clone):
    clone.write(".gitignore", b"*.vcd\n")
    clone.write("gone.v", b"x")
    clone.commit()
    clone.write(PATH, NEW)
    clone.write("rtl/new file.v", b"module n; endmodule\n")
    clone.write("wave.vcd", b"$end")
    (clone.root / "gone.v").unlink()
    before = clone.state()
    repository = clone.open()
    tree = repository.snapshot()
    assert repository.read(tree, PATH) == NEW
    assert repository.read(tree, "rtl/new file.v") == b"module n; endmodule\n"
    assert repository.read(tree, "wave.vcd") is None
    assert repository.changed_paths(repository.head_tree(), tree) == ("gone.v", PATH, "rtl/new file.v")
    assert clone.state() == before


def test_staged_and_unstaged_changes_are_kept_apart(clone):
    clone.write(PATH, b"staged\n")
    clone.git("add", PATH)
    clone.write(PATH, b"on disk\n")
    before = clone.state()
    repository = clone.open()
    assert repository.read(repository.index_tree(), PATH) == b"staged\n"
    assert repository.read(repository.snapshot(), PATH) == b"on disk\n"
    assert repository.read(repository.head_tree(), PATH) != b"staged\n"
    assert clone.state() == before


def test_a_file_edited_in_the_second_of_its_commit_is_seen(clone):
    target = clone.root / PATH
    time = target.stat().st_mtime_ns
    target.write_bytes(NEW)
    os.utime(target, ns=(time, time))
    assert len(NEW) == len(target.read_bytes())
    os.utime(clone.root / ".git" / "index", ns=(time, time))
    repository = clone.open()
    assert repository.read(repository.snapshot(), PATH) == NEW


def test_before_the_first_commit(tmp_path, clone):
    root = tmp_path / "fresh"
    root.mkdir()
    clone.git("init", "--quiet", cwd=root)
    (root / "a.v").write_bytes(b"module a; endmodule\n")
    repository = Repository.open(root, cache=clone.cache)
    assert repository.changed_paths(repository.head_tree(), repository.snapshot()) == ("a.v",)
    assert repository.index_tree() == repository.empty_tree()


def test_a_detached_head(clone):
    clone.git("checkout", "--quiet", "--detach")
    clone.write(PATH, NEW)
    repository = clone.open()
    assert repository.changed_paths(repository.head_tree(), repository.snapshot()) == (PATH,)


def test_a_linked_worktree(clone, tmp_path):
    clone.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    (tmp_path / "linked" / PATH).write_bytes(NEW)
    linked = Repository.open(tmp_path / "linked", cache=clone.cache)
    assert linked.root == tmp_path / "linked"
    assert linked.read(linked.snapshot(), PATH) == NEW
    assert clone.open().snapshot() == clone.open().head_tree()


def test_a_worktree_inside_the_work_tree_is_no_part_of_it(clone):
    clone.git("worktree", "add", "--quiet", "wt")
    assert clone.open().nested() == ()
    assert clone.open().snapshot() == clone.open().head_tree()


def test_a_path_with_spaces_and_other_letters(make):
    clone = make("a clone, mit Ümlaut")
    clone.write("rtl/ä b.v", b"1\n")
    repository = clone.open("rtl")
    tree = repository.snapshot()
    assert repository.root == clone.root
    assert repository.read(tree, "rtl/ä b.v") == b"1\n"
    assert "rtl/ä b.v" in repository.diff(repository.head_tree(), tree)


def test_it_opens_from_a_file_and_from_a_path_that_is_not_there_yet(clone):
    assert clone.open(PATH).root == clone.open("no/such/file.v").root == clone.root


@pytest.mark.parametrize("autocrlf", ["false", "true", "input", "yes"])
@pytest.mark.parametrize("attributes", [b"", b"* text=auto\n", b"*.v text eol=crlf\n"])
def test_line_endings_are_those_on_disk(clone, autocrlf, attributes):
    clone.git("config", "core.autocrlf", autocrlf)
    clone.write(".gitattributes", attributes)
    crlf = NEW.replace(b"\n", b"\r\n")
    clone.write("rtl/crlf.v", crlf)
    clone.commit()
    repository = clone.open()
    tree = repository.snapshot()
    assert repository.read(tree, "rtl/crlf.v") == crlf
    clone.write("rtl/crlf.v", crlf + b"\n")
    assert repository.read(repository.snapshot(), "rtl/crlf.v") == crlf + b"\n"


def test_a_commit_is_read_as_a_checkout_would_write_it(clone):
    clone.write(".gitattributes", b"*.v text eol=crlf\n")
    clone.write(PATH, NEW.replace(b"\n", b"\r\n"))
    clone.commit()
    repository = clone.open()
    assert repository.read(repository.head_tree(), PATH) == NEW.replace(b"\n", b"\r\n")
    assert repository.changed_paths(repository.head_tree(), repository.snapshot()) == ()


def test_what_a_checkout_gives_is_kept(clone, monkeypatch):
    clone.write(".gitattributes", b"*.v text eol=crlf\n")
    clone.write(PATH, NEW)
    clone.commit()
    repository = clone.open()
    first = repository.head_tree()
    with monkeypatch.context() as patch:
        patch.setattr(Repository, "_checked_out", lambda *_: pytest.fail("checked out again"))
        assert repository.head_tree() == first == repository.index_tree()
    # Other attributes decide anew.
    clone.write(".gitattributes", b"*.v text eol=lf\n")
    assert repository.read(repository.head_tree(), PATH) == NEW
    clone.write(".gitattributes", b"*.v text eol=crlf\n")
    # No commit holds what a checkout gives, so git may have removed it.
    (blob,) = [line.split()[2] for line in clone.git("ls-tree", "-r", first).splitlines() if line.endswith(PATH)]
    (clone.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert repository.read(repository.head_tree(), PATH) == NEW.replace(b"\n", b"\r\n")


def test_what_a_filter_gives_is_not_kept(clone):
    clone.write(".gitattributes", b"*.v filter=letter\n")
    clone.git("config", "filter.letter.clean", "cat")
    clone.git("config", "filter.letter.smudge", "cat letter -")
    clone.write("letter", b"// a\n")
    clone.write(PATH, NEW)
    clone.commit()
    repository = clone.open()
    assert repository.read(repository.head_tree(), PATH) == b"// a\n" + NEW
    clone.write("letter", b"// b\n")
    assert repository.read(repository.head_tree(), PATH) == b"// b\n" + NEW


def test_a_filter_that_is_not_installed(clone):
    clone.write(".gitattributes", b"*.v filter=lfs\n")
    clone.commit()
    clone.git("config", "filter.lfs.smudge", "no-such-program-at-all")
    clone.git("config", "filter.lfs.required", "true")
    repository = clone.open()
    assert repository.changed_paths(repository.head_tree(), repository.snapshot()) == ()


def test_what_a_hook_inherits_does_not_lead_elsewhere(clone, make, monkeypatch):
    other = make("other")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git" / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.root / ".git" / "objects"))
    clone.write(PATH, NEW)
    clone.git("add", PATH)
    repository = clone.open()
    assert repository.root == clone.root
    assert repository.read(repository.index_tree(), PATH) == NEW


def test_the_index_that_a_hook_is_told_of_is_what_will_be_committed(clone, tmp_path):
    """`git commit -a` commits from an index of its own."""
    clone.write(PATH, NEW)
    seen = tmp_path / "seen"
    hook = clone.root / ".git" / "hooks" / "pre-commit"
    hook.write_text(f'#!/bin/sh\nenv > "{seen}"\n')
    hook.chmod(0o755)
    clone.git("commit", "--quiet", "--all", "--message", "x")
    named = next(line for line in seen.read_text().splitlines() if line.startswith("GIT_INDEX_FILE="))
    assert named.endswith(".lock")
    index = (clone.root / ".git" / "index").read_bytes()
    clone.git("reset", "--quiet", "HEAD~")
    (clone.root / ".git" / "index.lock").write_bytes(index)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_INDEX_FILE", ".git/index.lock")
        repository = clone.open()
        assert repository.read(repository.index_tree(), PATH) == NEW
    assert clone.open().read(clone.open().index_tree(), PATH) != NEW


def test_hooks_filters_and_monitors_of_the_user_do_not_run(clone):
    ran = clone.root.parent / "ran"
    clone.write(".gitattributes", b"*.v filter=spy\n")
    clone.commit()
    clone.git("config", "filter.spy.clean", f"touch '{ran}'; cat")
    clone.git("config", "core.fsmonitor", f"touch '{ran}'")
    hook = clone.root / ".git" / "hooks" / "post-index-change"
    hook.write_text(f"#!/bin/sh\ntouch '{ran}'\n")
    hook.chmod(0o755)
    clone.write(PATH, NEW)
    repository = clone.open()
    assert repository.read(repository.snapshot(), PATH) == NEW
    assert not ran.exists()


def test_a_large_untracked_file_is_left_out(clone, monkeypatch):
    monkeypatch.setattr("veriloop.assistant.repository.repository.UNTRACKED_LIMIT_BYTES", 10)
    clone.write("wave.vcd", b"x" * 11)
    clone.write("small.v", b"x")
    repository = clone.open()
    assert repository.oversized() == ("wave.vcd",)
    assert repository.changed_paths(repository.head_tree(), repository.snapshot()) == ("small.v",)


def test_unresolved_conflicts_are_told(clone):
    clone.git("checkout", "--quiet", "-b", "side")
    clone.write(PATH, b"side\n")
    clone.commit()
    clone.git("checkout", "--quiet", "main")
    clone.write(PATH, b"main\n")
    clone.commit()
    with pytest.raises(Exception, match="returned non-zero"):
        clone.git("merge", "side")
    repository = clone.open()
    with pytest.raises(RepositoryError, match="conflicts"):
        repository.index_tree()
    assert b"<<<<" in (repository.read(repository.snapshot(), PATH) or b"")


def test_no_repository(tmp_path):
    with pytest.raises(RepositoryError, match="not in a git repository") as caught:
        Repository.open(tmp_path, cache=tmp_path / "cache")
    assert "git init" in caught.value.hint


def test_a_bare_clone_and_the_inside_of_a_git_directory(clone, tmp_path):
    clone.git("clone", "--quiet", "--bare", str(clone.root), str(tmp_path / "bare.git"))
    with pytest.raises(RepositoryError, match="bare clone"):
        Repository.open(tmp_path / "bare.git", cache=clone.cache)
    with pytest.raises(RepositoryError, match="inside a git directory"):
        clone.open(".git")


def test_a_tree_with_files_replaced_created_and_deleted(clone):
    (clone.root / PATH).chmod(0o755)
    clone.commit()
    repository = clone.open()
    base = repository.head_tree()
    tree = repository.write_tree_with(base, {PATH: NEW, "deep/er/new.v": b"n\r\n"})
    assert repository.read(tree, PATH) == NEW
    assert repository.read(tree, "deep/er/new.v") == b"n\r\n"
    assert [repository.entry(tree, path).mode for path in (PATH, "deep/er/new.v")] == ["100755", "100644"]
    assert repository.changed_paths(base, repository.write_tree_with(base, {PATH: None})) == (PATH,)


@pytest.mark.parametrize("path", ["../out.v", "/etc/passwd", ".git/config", "a/.GIT/x", "a//b", ""])
def test_paths_that_leave_the_tree_are_refused(clone, path):
    repository = clone.open()
    with pytest.raises(PatchConflict, match="no path inside"):
        repository.write_tree_with(repository.head_tree(), {path: b"x"})


def test_a_link_is_not_written_through(clone):
    (clone.root / "link.v").symlink_to(PATH)
    clone.commit()
    repository = clone.open()
    assert repository.read(repository.head_tree(), "link.v") is None
    with pytest.raises(PatchConflict, match="not a regular file"):
        repository.write_tree_with(repository.head_tree(), {"link.v": b"x"})


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_a_diff_applies_to_the_tree_that_it_was_made_for(clone, ending):
    clone.write(PATH, NEW.replace(b"\n", ending))
    clone.commit()
    repository = clone.open()
    base = repository.head_tree()
    tree = repository.write_tree_with(base, {PATH: NEW.replace(b"2", b"3").replace(b"\n", ending)})
    assert repository.tree_of_patch(base, repository.diff(base, tree)) == tree
    with pytest.raises(PatchConflict, match="does not apply"):
        repository.tree_of_patch(tree, repository.diff(base, tree))
    with pytest.raises(PatchConflict):
        repository.tree_of_patch(tree, "no diff at all")


def test_what_is_ignored(clone):
    clone.write(".gitignore", b"out/\n*.log\n")
    clone.write("out/a/b", b"")
    clone.write("x.log", b"")
    assert clone.open().ignored() == ("out/", "x.log")


def test_sha256_repositories(tmp_path, clone):
    root = tmp_path / "sha256"
    root.mkdir()
    clone.git("init", "--quiet", "--object-format=sha256", cwd=root)
    (root / "a.v").write_bytes(NEW)
    repository = Repository.open(root, cache=clone.cache)
    tree = repository.snapshot()
    assert len(tree) == 64
    assert repository.read(repository.write_tree_with(tree, {"a.v": None, "b.v": b"b"}), "b.v") == b"b"


def test_a_sparse_checkout_keeps_what_is_not_checked_out(clone):
    clone.write("docs/a.md", b"a\n")
    clone.commit()
    clone.git("sparse-checkout", "set", "rtl")
    assert not Path(clone.root, "docs/a.md").exists()
    repository = clone.open()
    assert repository.snapshot() == repository.head_tree()


def test_a_split_index(clone):
    clone.git("update-index", "--split-index")
    clone.write(PATH, NEW)
    repository = clone.open()
    assert repository.read(repository.snapshot(), PATH) == NEW
