"""Whether a relayed answer is whole: the HTTP body without its framing, and the text it carries."""

from __future__ import annotations

import msgspec

from benchmarks.rig.protocols import CHAT, Answer, Protocol


def body_of(answer: bytes) -> tuple[int, bytes]:
    """Status and body of a raw HTTP/1.1 answer; a cut chunked body gives what came."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if b"transfer-encoding: chunked" not in head.lower():
        return status, rest
    parts: list[bytes] = []
    at = 0
    while (line_end := rest.find(b"\r\n", at)) >= 0:
        size = int(rest[at:line_end].split(b";")[0], 16)
        if size == 0:
            break
        parts.append(rest[line_end + 2 : line_end + 2 + size])
        at = line_end + size + 4
    return status, b"".join(parts)


def fault_of(answer: Answer, text: str) -> str:
    """What is wrong with an answer that should hold that text; empty where it is whole."""
    if answer.status != 200:
        return f"status {answer.status}"
    if answer.error is not None:
        return f"error event {answer.error}"
    if answer.garbled or not answer.done or answer.text != text or answer.finish != "stop":
        tail = f"[DONE] {answer.done}, ends {answer.text[-40:]!r}"
        return f"{answer.events} events ({answer.garbled} garbled), {tail}"
    return ""


def read_answer(raw: bytes, protocol: Protocol = CHAT) -> Answer:
    """Read a raw HTTP answer of a stream in `protocol`."""
    status, body = body_of(raw)
    answer = Answer(status)
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        data = b"".join(line[6:] for line in block.split(b"\n") if line.startswith(b"data: "))
        if not data:
            continue
        if data == b"[DONE]":
            answer.done = True
            continue
        answer.done = False
        answer.events += 1
        try:
            event = msgspec.json.decode(data)
        except msgspec.DecodeError:
            answer.garbled += 1
            continue
        protocol.take(event, answer)
    answer.text = "".join(answer.pieces)
    return answer
