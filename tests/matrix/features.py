"""What is looked at in each pair: features, and the facets that each of them has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """meaning: one line for people. facets: what is compared, each by itself. asked: those that go from the
    client to the provider; the others come from it. needs: without these there is nothing of the feature.

    back: it comes from the provider and goes back to it with the next turn. streamed: facets that only a
    stream has.
    """

    name: str
    meaning: str
    facets: tuple[str, ...]
    asked: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    back: bool = False
    streamed: tuple[str, ...] = ()


def _asked(name: str, meaning: str, *facets: str, needs: tuple[str, ...] = ()) -> Feature:
    return Feature(name, meaning, facets, facets, needs)


FEATURES = (
    Feature(
        "text",
        "the question's text and the answer's, to the byte",
        ("question", "text"),
        asked=("question",),
        needs=("text",),
    ),
    Feature(
        "end",
        "why the answer ended, in the client's own words",
        ("stop", "length", "tool calls", "filtered"),
        needs=("stop",),
    ),
    Feature("reasoning", "the model's reasoning, apart from its answer", ("text",)),
    Feature(
        "reasoning back",
        "reasoning and its signature, returned to its maker with the next turn",
        ("text", "signature"),
        back=True,
    ),
    Feature(
        "tools",
        "a function is offered; its call comes with id, name and arguments",
        ("offer", "call"),
        asked=("offer",),
        needs=("offer", "call"),
    ),
    Feature(
        "parallel tools",
        "two calls in one answer, whole and told apart",
        ("first", "second"),
        needs=("first", "second"),
    ),
    Feature(
        "tool results",
        "what the tools answered goes back: under the call it answers, with the provider's own id",
        ("answers", "ids"),
        needs=("answers",),
        back=True,
    ),
    Feature(
        "structured output",
        "a JSON schema for the answer",
        ("schema", "answer"),
        asked=("schema",),
        needs=("schema", "answer"),
    ),
    _asked("images in", "an image in the question", "bytes"),
    Feature("images out", "an image in the answer", ("bytes",)),
    _asked("sound in", "sound in the question", "bytes"),
    Feature(
        "sound out",
        "sound is asked for; sound in the answer, and what it says",
        ("asked", "bytes", "transcript"),
        asked=("asked",),
        needs=("bytes",),
    ),
    _asked("documents in", "a PDF in the question", "bytes", "name", needs=("bytes",)),
    _asked("system prompt", "instructions above the conversation", "text", "role", needs=("text",)),
    _asked("effort", "how much to think", "effort"),
    _asked("settings", "how to generate", "max tokens", "temperature", "top p", "stop", "seed"),
    Feature(
        "refusal",
        "the model refuses, and the client can tell it from an answer",
        ("words", "mark"),
        needs=("words",),
    ),
    Feature("citations", "sources of the answer", ("url", "title", "quote", "place"), needs=("url",)),
    Feature(
        "usage",
        "tokens, each count in the client's own convention",
        ("input", "output", "cached", "cache writes", "reasoning"),
        needs=("input", "output"),
    ),
    Feature(
        "logprobs",
        "log probabilities of tokens",
        ("asked", "logprobs", "alternatives", "ids"),
        asked=("asked",),
        needs=("asked", "logprobs"),
    ),
    Feature(
        "errors",
        "an error before the answer: the client's own class and status, and how long to wait",
        ("key", "unknown", "rate", "wait", "context", "overloaded"),
    ),
    Feature("errors in stream", "an error behind the first text", ("text", "error"), streamed=("text",)),
    Feature(
        "truncation",
        "the connection breaks behind the first text: never a success",
        ("text", "error"),
        streamed=("text",),
    ),
)
BY_NAME = {feature.name: feature for feature in FEATURES}
