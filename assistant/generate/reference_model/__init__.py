"""Reference models in Python that a language model wrote: checked by their syntax, run without files or network."""
