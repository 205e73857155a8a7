"""Many candidates judged by one build: a design that holds all of them, run once for each in a process of its own."""
