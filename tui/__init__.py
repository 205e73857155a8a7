"""The terminal: where one says what is wrong, watches it being proved, and takes what one wants."""
