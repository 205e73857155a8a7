"""How a design stands: which tests judge a module, what they last said, and whether that still holds."""
