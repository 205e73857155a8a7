"""A git work tree, read as trees: what is on disk, what is staged, what is committed, and any of these with a change.

Every operation works through a private git directory that shares the user's object store, so that the user's index,
branch, configuration and hooks stay out of it. There no attribute converts anything: the bytes of a tree are the bytes
on disk, whatever line endings or filters the repository declares.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from veriloop.assistant.errors import PatchConflict, RepositoryError
from veriloop.assistant.repository.command import Git
from veriloop.assistant.repository.conversion import ConvertedTrees, conversion
from veriloop.assistant.repository.private import cache_home, private_directory

UNTRACKED_LIMIT_BYTES = 50_000_000
"""An untracked file that is larger, a waveform for instance, is left out of a snapshot."""

SYMLINK_MODE = "120000"
SUBMODULE_MODE = "160000"

_RAW = "* -text !eol !ident !filter !working-tree-encoding\n"
_COPIED_INDEX_FILES = "sharedindex.*"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tree holds at a path: the mode as git writes it, and the object's id."""

    mode: str
    id: str


@dataclass(frozen=True, slots=True)
class Repository:
    """One work tree: the main one of a clone, or a linked one.

    Attributes:
        root: the top of the work tree.
        git_dir: this work tree's own git directory, where records of applied changes are kept.
        common_dir: the git directory that linked work trees share.
        cache: where private copies are made.
        index: the index that a commit would be made from; inside a hook, the one that git named.
        object_format: how objects are named, `sha1` or `sha256`.
    """

    root: Path
    git_dir: Path
    common_dir: Path
    cache: Path
    index: Path
    object_format: str = "sha1"

    @classmethod
    def open(cls, path: Path, *, cache: Path | None = None) -> Repository:
        """The work tree that a file or directory lies in.

        Raises:
            RepositoryError: it lies in none, or in a bare clone.
        """
        directory = path.absolute()
        while not directory.is_dir():
            directory = directory.parent
        git = Git(directory)
        status, output, errors = git.ask(
            "rev-parse",
            "--show-toplevel",
            "--absolute-git-dir",
            "--git-common-dir",
            "--show-object-format",
        )
        if status != 0:
            raise _not_a_work_tree(git, path, errors)
        lines = os.fsdecode(output).splitlines()
        if len(lines) != 4:
            raise RepositoryError(f"git gives no clear answer about {path}")
        # Git before 2.31 has no `--path-format=absolute`: its common directory may be relative to where it was asked.
        root, git_dir, common_dir = Path(lines[0]), Path(lines[1]), (directory / lines[2]).resolve()
        return cls(root, git_dir, common_dir, cache or cache_home(), _index_of(root, git_dir), lines[3])

    # --- trees ---

    def snapshot(self) -> str:
        """The tree of what is on disk: tracked files as they are, and untracked ones that git does not ignore."""
        with self._private() as git:
            index = Path(git.variables["GIT_INDEX_FILE"])
            self._copy_index(index)
            if self._converts() and index.exists():
                # An index that is older than every file makes git compare contents, not times: a file that git
                # calls unmodified may still differ from its object by its line endings.
                os.utime(index, (1, 1))
            git.run("add", "--update", "--", ".")
            untracked, _ = self._untracked()
            paths = b"\0".join(os.fsencode(path) for path in untracked)
            if paths:
                git.run("update-index", "--add", "-z", "--stdin", stdin=paths + b"\0")
            return _id(git.run("write-tree"))

    def head_tree(self) -> str:
        """The tree of the last commit; before the first commit, the empty tree."""
        status, output, _ = Git(self.root).ask("rev-parse", "--verify", "--quiet", "HEAD^{tree}")
        return self._as_checked_out(_id(output)) if status == 0 else self.empty_tree()

    def tree_of(self, revision: str) -> str | None:
        """The tree of a revision as a checkout would write it; none where there is no such revision."""
        status, output, _ = Git(self.root).ask(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{tree}}"
        )
        return self._as_checked_out(_id(output)) if status == 0 else None

    def merge_base(self, revision: str) -> str | None:
        """The last commit that a revision and the current one share; the revision itself where they share none."""
        git = Git(self.root)
        status, output, _ = git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if status != 0:
            return None
        commit = _id(output)
        shared, common, _ = git.ask("merge-base", commit, "HEAD")
        return _id(common) if shared == 0 else commit

    def submodules(self, tree: str) -> tuple[tuple[str, bool], ...]:
        """The submodules of a tree, and whether each is checked out."""
        output = Git(self.root).run("ls-tree", "-r", "-z", "--full-tree", tree)
        found = (path for path, entry in _entries(output) if entry.mode == SUBMODULE_MODE)
        return tuple((path, (self.root / path / ".git").exists()) for path in found)

    def commit(self) -> str:
        """The id of the last commit; empty before the first."""
        status, output, _ = Git(self.root).ask("rev-parse", "--verify", "--quiet", "HEAD")
        return _id(output) if status == 0 else ""

    def index_tree(self) -> str:
        """The tree that a commit would have now.

        Raises:
            RepositoryError: a merge has left conflicts in the index.
        """
        with self._private() as git:
            self._copy_index(Path(git.variables["GIT_INDEX_FILE"]))
            if git.run("ls-files", "--unmerged"):
                raise RepositoryError("the index holds unresolved conflicts", hint="git status")
            tree = _id(git.run("write-tree"))
        return self._as_checked_out(tree)

    def empty_tree(self) -> str:
        """The tree without files."""
        return _id(Git(self.root).run("mktree"))

    def tree_of_patch(self, base: str, diff_text: str | bytes) -> str:
        """The tree `base` with a unified diff applied.

        Raises:
            PatchConflict: the diff does not fit.
        """
        content = diff_text.encode("utf-8", errors="surrogateescape") if isinstance(diff_text, str) else diff_text
        with self._private() as git:
            git.run("read-tree", base)
            status, _, errors = git.ask("apply", "--cached", "--whitespace=nowarn", "-", stdin=content)
            if status != 0:
                reason = next(iter(errors.splitlines()), "").removeprefix("error: ")
                raise PatchConflict(f"the patch does not apply: {reason}")
            return _id(git.run("write-tree"))

    def write_tree_with(self, base: str, contents: Mapping[str, bytes | None]) -> str:
        """The tree `base` with some files replaced, created or, for none, deleted; a file keeps its mode.

        Raises:
            PatchConflict: a path leads out of the tree, or names what is no regular file.
        """
        with self._private() as git:
            git.run("read-tree", base)
            lines = [self._index_line(git, base, path, content) for path, content in contents.items()]
            git.run("update-index", "-z", "--index-info", stdin=b"".join(lines))
            return _id(git.run("write-tree"))

    # --- reading ---

    def entry(self, tree: str, path: str) -> Entry | None:
        """What the tree holds at a path."""
        output = Git(self.root, {"GIT_LITERAL_PATHSPECS": "1"}).run("ls-tree", "-z", "--full-tree", tree, "--", path)
        return next((entry for name, entry in _entries(output) if name == path), None)

    def entries(self, tree: str) -> dict[str, Entry]:
        """All files, links and submodules of a tree."""
        return dict(_entries(Git(self.root).run("ls-tree", "-r", "-z", "--full-tree", tree)))

    def read(self, tree: str, path: str) -> bytes | None:
        """A regular file's bytes; none where the tree has no regular file at that path."""
        entry = self.entry(tree, path)
        if entry is None or not entry.mode.startswith("100"):
            return None
        return Git(self.root).run("cat-file", "blob", entry.id)

    def changed_paths(self, tree_a: str, tree_b: str) -> tuple[str, ...]:
        """The paths at which two trees differ, sorted."""
        output = Git(self.root).run("diff-tree", "-r", "-z", "--name-only", "--no-renames", tree_a, tree_b)
        return tuple(sorted(_names(output)))

    def diff(self, tree_a: str, tree_b: str) -> str:
        """The unified diff between two trees; bytes that are no UTF-8 are shown replaced."""
        with self._private() as git:
            words = ("-p", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/")
            return git.run("diff-tree", *words, tree_a, tree_b).decode("utf-8", errors="replace")

    def ignored(self) -> tuple[str, ...]:
        """What git ignores in the work tree; a directory that is ignored as a whole ends in `/`."""
        output = Git(self.root).run("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
        return tuple(sorted(_names(output)))

    def oversized(self) -> tuple[str, ...]:
        """Untracked files that a snapshot leaves out because of their size."""
        return self._untracked()[1]

    def nested(self) -> tuple[str, ...]:
        """Untracked clones inside the work tree, without linked work trees of this same repository."""
        found = [name.rstrip("/") for name in self._others() if name.endswith("/")]
        return tuple(path for path in found if not self._is_own_work_tree(self.root / path))

    @contextlib.contextmanager
    def checkout_index(self, tree: str) -> Iterator[Git]:
        """A private git whose index holds the tree, for writing it out."""
        with self._private() as git:
            git.run("read-tree", tree)
            yield git

    # --- how ---

    @contextlib.contextmanager
    def _private(self, work_tree: Path | None = None) -> Iterator[Git]:
        """Git with a git directory and an index of its own, over the user's files and object store."""
        with private_directory(self.cache) as directory:
            git_dir = directory / "git"
            (git_dir / "refs").mkdir(parents=True)
            (git_dir / "info").mkdir()
            (git_dir / "HEAD").write_text("ref: refs/heads/none\n")
            (git_dir / "info" / "attributes").write_text(_RAW)
            (git_dir / "config").write_text(self._private_config())
            with contextlib.suppress(OSError):
                shutil.copyfile(self.common_dir / "info" / "exclude", git_dir / "info" / "exclude")
            variables = {
                "GIT_DIR": str(git_dir),
                "GIT_WORK_TREE": str(work_tree or self.root),
                "GIT_OBJECT_DIRECTORY": str(self.common_dir / "objects"),
                "GIT_INDEX_FILE": str(git_dir / "index"),
            }
            yield Git(work_tree or self.root, variables)

    def _private_config(self) -> str:
        """The user's configuration of this repository, without what would convert, and with the right hash."""
        quoted = str(self.common_dir / "config").replace("\\", "\\\\").replace('"', '\\"')
        version = "0" if self.object_format == "sha1" else f"1\n[extensions]\n\tobjectFormat = {self.object_format}"
        core = f"[core]\n\trepositoryFormatVersion = {version}\n"
        return f'{core}[include]\n\tpath = "{quoted}"\n[core]\n\tbare = false\n\tautocrlf = false\n'

    def _copy_index(self, target: Path) -> None:
        # With its time: git takes a file that is as young as the index for possibly modified.
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(self.index, target)
        for shared in self.git_dir.glob(_COPIED_INDEX_FILES):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(shared, target.parent / shared.name)

    def _others(self) -> list[str]:
        return _names(Git(self.root).run("ls-files", "-z", "--others", "--exclude-standard"))

    def _untracked(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Untracked files: those to take, and those that are too large."""
        taken: list[str] = []
        large: list[str] = []
        for name in self._others():
            path = self.root / name
            if name.endswith("/") or not os.path.lexists(path):
                continue
            too_large = path.lstat().st_size > UNTRACKED_LIMIT_BYTES
            (large if too_large else taken).append(name)
        return tuple(taken), tuple(large)

    def _is_own_work_tree(self, path: Path) -> bool:
        pointer = path / ".git"
        if not pointer.is_file():
            return False
        target = pointer.read_text(errors="replace").removeprefix("gitdir:").strip()
        return (path / target).resolve().is_relative_to((self.common_dir / "worktrees").resolve())

    def _index_line(self, git: Git, base: str, path: str, content: bytes | None) -> bytes:
        """A line for `update-index --index-info`."""
        check_path(path)
        entry = self.entry(base, path)
        if entry is not None and not entry.mode.startswith("100"):
            raise PatchConflict(f"{path} is not a regular file")
        if content is None:
            return b"0 " + b"0" * len(base) + b"\t" + os.fsencode(path) + b"\0"
        blob = _id(git.run("hash-object", "-w", "--no-filters", "--stdin", stdin=content))
        mode = entry.mode if entry else "100644"
        return f"{mode} {blob}\t".encode() + os.fsencode(path) + b"\0"

    def _converts(self) -> bool:
        return conversion(self.root, self.common_dir) is not None

    def _as_checked_out(self, tree: str) -> str:
        """The tree with its files as a checkout would write them, so that it compares with what is on disk."""
        how = conversion(self.root, self.common_dir)
        if how is None:
            return tree
        trees = ConvertedTrees.of(self.cache, self.root)
        known = trees.find(tree, how)
        if known is None or not self._whole(known):
            known = self._checked_out(tree)
            trees.keep(tree, how, known)
        return known

    def _checked_out(self, tree: str) -> str:
        with private_directory(self.cache) as directory:
            files = directory / "files"
            files.mkdir()
            converting = Git(self.root, {"GIT_INDEX_FILE": str(directory / "index")})
            converting.run("read-tree", tree)
            status, _, _ = converting.ask("checkout-index", "--all", "--force", f"--prefix={files}/")
            if status != 0:
                # A filter that is not installed here, LFS for instance, has not converted what is on disk either.
                return tree
            with self._private(files) as git:
                git.run("read-tree", tree)
                git.run("add", "--update", "--", ".")
                return _id(git.run("write-tree"))

    def _whole(self, tree: str) -> bool:
        """Whether every object of a tree is there: what no commit holds, git removes after a while."""
        return Git(self.root).ask("rev-list", "--objects", "--quiet", "--no-walk", tree)[0] == 0


def check_path(path: str) -> None:
    """Raises `PatchConflict` for a path that leads out of the tree or into git's own directory."""
    parts = PurePosixPath(path).parts
    bad = not parts or path.startswith("/") or "\0" in path or path != str(PurePosixPath(path))
    if bad or any(part == ".." or part.lower() == ".git" for part in parts):
        raise PatchConflict(f"{path!r} is no path inside the tree")


def _not_a_work_tree(git: Git, path: Path, errors: str) -> RepositoryError:
    if "not a git repository" in errors:
        return RepositoryError(f"{path} is not in a git repository", hint="git init && git add . && git commit")
    if "must be run in a work tree" in errors:
        bare = git.ask("rev-parse", "--is-bare-repository")[1].strip() == b"true"
        what = "is a bare clone" if bare else "lies inside a git directory"
        return RepositoryError(f"{path} {what}: there are no files to work on", hint="git clone")
    safe = next((line.strip() for line in errors.splitlines() if "safe.directory" in line and "config" in line), "")
    return RepositoryError(errors.splitlines()[0] if errors else f"git cannot read {path}", hint=safe)


def _index_of(root: Path, git_dir: Path) -> Path:
    """The index; a hook of `git commit -a` is told of another one, which holds what will be committed."""
    named = os.environ.get("GIT_INDEX_FILE", "")
    inherited = root / named
    if named and inherited.is_file() and inherited.parent.resolve() == git_dir.resolve():
        return inherited
    return git_dir / "index"


def _entries(output: bytes) -> Iterator[tuple[str, Entry]]:
    for record in output.split(b"\0"):
        if record:
            facts, _, name = record.partition(b"\t")
            mode, _, identifier = facts.decode().split()
            yield os.fsdecode(name), Entry(mode, identifier)


def _names(output: bytes) -> list[str]:
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def _id(output: bytes) -> str:
    return output.decode().strip()
