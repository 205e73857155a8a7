"""The families, one module a kind; every module here is imported by `draft.families`."""
