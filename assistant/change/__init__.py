"""A change that is there already: what it reaches, what is worth running for it, and what came of that."""
