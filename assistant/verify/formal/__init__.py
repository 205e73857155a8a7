"""Proofs: yosys turns a design with assertions into an and-inverter graph, ABC decides each of them."""
