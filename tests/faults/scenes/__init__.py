"""What clients, servers and logs do, a function each; `rows/` says when, and what must be seen."""
