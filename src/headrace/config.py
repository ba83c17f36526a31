"""headrace.toml and the environment -> typed settings, with errors that name line and field."""
