"""Git: trees of what is on disk, private copies to judge in, and the one way to change the user's files."""
