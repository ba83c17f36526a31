"""Types and JSON: shapes and schemas of a type, values that grow, functions as tools. Pure, no I/O."""
