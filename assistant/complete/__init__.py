"""What comes next where somebody is writing: suggestions that are checked before they are shown.

`site.py` says where is written and what is around it, `connections.py` and `nearest.py` suggest at once and without a
model, `prompt.py` asks a language model, `check.py` holds each suggestion against parser and elaborator, `suggest.py`
puts them together.
"""
