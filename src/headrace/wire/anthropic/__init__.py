"""Anthropic Messages, both directions."""
