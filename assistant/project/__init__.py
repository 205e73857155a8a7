"""What a repository says about itself: which files it compiles, with which toplevels, and how it tests them.

Readers look at the files that its own tools use; nothing of the repository is run. Every answer keeps its origin.
"""
