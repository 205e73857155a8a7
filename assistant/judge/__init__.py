"""Who is wrong where a test fails: the RTL, the testbench, both, the specification, or what runs them."""
