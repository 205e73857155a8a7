"""Language servers, measured: how fast they answer, how often, and how often rightly."""
