"""What an editor asks about a design, as data: each question one module over the names and the elaboration."""
