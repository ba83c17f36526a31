"""Streams under a `StreamManager`: envelopes with sequence numbers, and who makes, keeps, reads and writes them."""
