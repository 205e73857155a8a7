"""From a bug report to places in the RTL: ranked, each with its reasons. Nothing is changed."""
