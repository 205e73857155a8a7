"""The terminal: starts workflows of the core and shows their events."""
