"""The answer about a change in the forms that other programs read."""
