"""What `headrace chat` remembers: a model, a system message, settings, and the turns so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from headrace.core.message import Message, assistant, system, user
from headrace.core.reply import Reply
from headrace.core.request import GenerationSettings, Request, ResponseFormat


@dataclass(slots=True)
class Conversation:
    """Turns with one model. `instructions` is the system message, "" for none."""

    model: str
    instructions: str = ""
    settings: GenerationSettings = field(default_factory=GenerationSettings)
    response_format: ResponseFormat | None = None
    turns: list[Message] = field(default_factory=list)

    def asking(self, text: str) -> Request:
        """The request that asks `text` next; nothing is remembered yet."""
        first = [system(self.instructions)] if self.instructions else []
        return Request(
            self.model,
            (*first, *self.turns, user(text)),
            self.settings,
            response_format=self.response_format,
        )

    def remember(self, text: str, reply: Reply) -> None:
        """Keep the turn: a stopped answer as far as it came, one that never began not at all."""
        if reply.text:
            self.turns += [user(text), assistant(reply.text)]

    def reset(self) -> None:
        """Forget the turns; model, system message and settings stay."""
        self.turns.clear()
