"""The `headrace` command: one thin file a command; errors become one line and an exit code in `main.py`."""
