"""A conversation with the assistant, without a screen: what is said, what runs because of it, and the record."""
