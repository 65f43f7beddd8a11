"""A model server that always says the same after a fixed time: OpenAI's chat protocol, streamed or whole.

``python bench/scripted_server.py [--latency-ms 300]`` prints its address on the first line. It does as little as it
can: what is measured against it is the client's work.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math

WORDS = ["The", " travel", " budget", " for", " this", " year", " is", " 40", " thousand", " euros", ".", ""]
"""What it says, a token each."""


def tokens() -> list[dict[str, object]]:
    """Return the tokens with their log-probabilities, five alternatives each, as vLLM lists them."""
    rows = []
    for word in WORDS:
        others = [{"token": f"x{i}", "logprob": math.log(0.002 * (i + 1)), "bytes": [120, 48 + i]} for i in range(4)]
        own = {"token": word, "logprob": math.log(0.985), "bytes": list(word.encode())}
        rows.append({**own, "top_logprobs": [own, *others]})
    return rows


SHARED = {"id": "chatcmpl-1", "created": 1, "model": "scripted"}
USAGE = {"prompt_tokens": 400, "completion_tokens": len(WORDS), "total_tokens": 400 + len(WORDS)}


def whole() -> bytes:
    """Return the answer in one piece."""
    message = {"role": "assistant", "content": "".join(WORDS)}
    choice = {"index": 0, "message": message, "logprobs": {"content": tokens()}, "finish_reason": "stop"}
    return json.dumps({**SHARED, "object": "chat.completion", "choices": [choice], "usage": USAGE}).encode()


def streamed() -> bytes:
    """Return the answer as events, a token each."""
    shared = {**SHARED, "object": "chat.completion.chunk"}
    choices = [
        {"index": 0, "delta": {"content": word}, "logprobs": {"content": [token]}, "finish_reason": None}
        for word, token in zip(WORDS, tokens(), strict=True)
    ]
    pieces = [{**shared, "choices": [choice]} for choice in choices]
    pieces.append({**shared, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    pieces.append({**shared, "choices": [], "usage": USAGE})
    return b"".join(b"data: " + json.dumps(piece).encode() + b"\n\n" for piece in pieces) + b"data: [DONE]\n\n"


def _response(kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: keep-alive\r\n\r\n"
    return head.encode() + body


async def serve(latency_s: float) -> None:
    """Serve until the process is ended."""
    answer, events = _response("application/json", whole()), _response("text/event-stream", streamed())

    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                await asyncio.sleep(latency_s)
                writer.write(events if b'"stream":true' in body.replace(b" ", b"") else answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(taken, "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency-ms", type=float, default=300)
    asyncio.run(serve(parser.parse_args().latency_ms / 1000))
