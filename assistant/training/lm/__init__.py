"""Training language models on rows of training data. PyTorch and transformers are imported nowhere else."""
