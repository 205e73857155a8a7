"""One module a feature: decodes the request, asks the core, encodes the answer."""
