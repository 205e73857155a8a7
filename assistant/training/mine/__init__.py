"""Training data from a company's own repositories: what they hold, and what their fixes changed."""
