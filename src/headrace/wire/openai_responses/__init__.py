"""OpenAI Responses, both directions: `WIRE` for those who call, the encoder and parser for servers."""
