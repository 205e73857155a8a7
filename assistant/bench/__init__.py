"""Public sets of broken designs, run on the road that a user takes, and counted."""
