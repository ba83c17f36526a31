"""Streams with a life: an id, a log, readers that come, go and resume."""
