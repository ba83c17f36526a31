"""What a conversation remembers, and what it does not."""

from headrace.cli.conversation import Conversation
from headrace.core.chunk import BlockStart, Cancelled, Chunk, Failure, Finish, ReasoningDelta, TextDelta
from headrace.core.fold import fold
from headrace.core.reply import Reply


def reply(*chunks: Chunk) -> Reply:
    return fold([BlockStart(0, "text"), *chunks])


def said(conversation: Conversation) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in conversation.asking("next").messages]


def test_turns_follow_the_system_message() -> None:
    conversation = Conversation("m", "Be brief.")
    conversation.remember("hi", reply(TextDelta(0, "hello"), Finish()))
    expected = [("system", "Be brief."), ("user", "hi"), ("assistant", "hello"), ("user", "next")]
    assert said(conversation) == expected


def test_asking_remembers_nothing() -> None:
    conversation = Conversation("m")
    conversation.asking("one")
    assert said(conversation) == [("user", "next")]


def test_a_stopped_answer_is_kept_as_far_as_it_came() -> None:
    conversation = Conversation("m")
    conversation.remember("hi", reply(TextDelta(0, "hel"), Cancelled()))
    assert said(conversation) == [("user", "hi"), ("assistant", "hel"), ("user", "next")]


def test_an_answer_without_text_is_not_kept() -> None:
    conversation = Conversation("m")
    conversation.remember("hi", reply(Cancelled()))
    conversation.remember("hi", reply(Failure("wire", "broken")))
    conversation.remember("hi", fold([BlockStart(0, "reasoning"), ReasoningDelta(0, "hm"), Cancelled()]))
    assert said(conversation) == [("user", "next")]


def test_reset_keeps_model_and_system_message() -> None:
    conversation = Conversation("m", "Be brief.")
    conversation.remember("hi", reply(TextDelta(0, "hello"), Finish()))
    conversation.reset()
    assert said(conversation) == [("system", "Be brief."), ("user", "next")]
    assert conversation.model == "m"
