"""The model edge: language models that run on this machine. It knows nothing of chips, git or screens."""
