"""Whether two versions of a module do the same, by Yosys: proved, told apart by an input, or neither."""
