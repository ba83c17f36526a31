"""Small stores behind one Protocol each: append-only logs of streams."""
