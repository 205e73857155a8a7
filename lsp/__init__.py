"""The language server: decodes requests, calls a workflow of the core, encodes the answer."""
