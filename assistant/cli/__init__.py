"""The command line: one file a verb, and what all verbs share."""
