"""Testbenches that can fail: stimulus that reaches, expected values of known origin, mutants that do not survive."""
