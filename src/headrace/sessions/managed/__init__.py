"""Streams of a `StreamManager`: envelopes with sequence numbers, and who makes, reads and writes them."""
