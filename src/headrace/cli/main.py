"""The `headrace` command: one group, one file a command."""


def main() -> None:
    """Run the command line."""
