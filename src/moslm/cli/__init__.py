"""One command a file; `main` finds the file by the command's name."""
