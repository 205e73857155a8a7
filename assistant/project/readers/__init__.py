"""One module a kind of file: each has `NAME` and `read(tree, context) -> Findings`, and runs nothing."""
