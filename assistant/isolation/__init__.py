"""Keeps code that nobody vouches for away from the network and from everything but its own directories."""
