"""The files of a repository, and what is kept of them."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from tests.assistant.project.conftest import write
from veriloop.assistant.project.tree import Tree


def test_what_is_kept_of_a_tree_goes_with_it(tmp_path):
    write(tmp_path, {"rtl/a.v": "module a; endmodule\n"})
    tree = Tree(tmp_path)
    assert tree.names == ("rtl/a.v",)
    assert tree.text(Path("rtl/a.v")) == "module a; endmodule\n"
    (tmp_path / "rtl/a.v").write_text("changed\n")
    assert tree.text(Path("rtl/a.v")) == "module a; endmodule\n"
    (tmp_path / "link.v").symlink_to("rtl/a.v")
    assert Tree(tmp_path).names == ("link.v", "rtl/a.v")
    kept = weakref.ref(tree)
    del tree
    gc.collect()
    assert kept() is None
