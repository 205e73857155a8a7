"""Names: where each is declared, what it stands for, where it is used. Works on broken files and without a project."""
