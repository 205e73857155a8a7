"""From a specification to RTL: what it says as data is synthesised, the rest is left to a model."""
