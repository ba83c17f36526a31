"""The official client against `headrace serve`: `python examples/openai_client.py [MODEL] [BASE_URL]`."""

import sys

from openai import OpenAI

model = sys.argv[1] if len(sys.argv) > 1 else "local"
base_url = sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:8787/v1"
client = OpenAI(base_url=base_url, api_key="none")
stream = client.chat.completions.create(
    model=model, messages=[{"role": "user", "content": "Why is the sky blue?"}], stream=True
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
