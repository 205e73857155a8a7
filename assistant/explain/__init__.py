"""What RTL does, in sentences: read off its syntax and its elaboration, with what cannot be told from them named."""
