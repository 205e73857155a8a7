"""Standard blocks that a specification states in words: read by phrases of a known meaning, or left alone.

Every sentence has to be claimed by somebody: by the reader of a block, or by what is known to add nothing. One sentence
that nobody understands, and nothing is made.
"""
