"""What `veriloop bench` can run: a module a kind of suite, each with `SUITES`, `add_arguments` and `run`."""
