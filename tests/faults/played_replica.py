"""Plays the part of a vLLM server that a client sees: in the test's own process, or in one that can be killed.

Its answers follow from the question alone, so every replica gives the same one, as greedy decoding does. Imports
little, so that a killed one is back soon.
"""

import asyncio
import hashlib
import json
import random
import sys

HEADERS = "Connection: close\r\n"


def words_for(question, flavour=""):
    digest = hashlib.sha256((question + flavour).encode()).hexdigest()
    count = 8 + int(digest[:2], 16) % 24
    return [f"{question.split()[0]}:", *(f" w{digest[i % 60 : i % 60 + 4]}" for i in range(count))]


def logprobs(request, words):
    if not request.get("logprobs"):
        return None
    return {"content": [{"token": w, "logprob": -0.01, "bytes": list(w.encode()), "top_logprobs": []} for w in words]}


def wants_tool(request):
    last = request["messages"][-1]
    return bool(request.get("tools")) and last["role"] == "user" and "tool" in last["content"]


def tool_call(request):
    key = request["messages"][-1]["content"].split()[0]
    name = request["tools"][0]["function"]["name"]
    return {"id": f"call-{key}", "type": "function", "function": {"name": name, "arguments": json.dumps({"key": key})}}


def usage(words):
    return {"prompt_tokens": 10, "completion_tokens": len(words), "total_tokens": 10 + len(words)}


def chunk(request, choices, **more):
    whole = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": request["model"], "choices": choices}
    return f"data: {json.dumps(whole | more)}\n\n".encode()


def send(writer, status, body, more=""):
    head = (
        f"HTTP/1.1 {status} X\r\n{HEADERS}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    )
    writer.write(head.encode() + body)


class PlayedReplica:
    """One replica; its attributes say how it behaves."""

    def __init__(self):
        self.drip_s = self.delay_s = self.errors = 0.0
        self.hang = self.busy = False
        self.sampling = ""
        self.asked = 0
        self.port = 0
        self._chance = random.Random(7)
        self._server = None
        self._open = set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    async def open(self, port=0):
        self._server = await asyncio.start_server(self._taken, "127.0.0.1", port, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self):
        """Die: take no connection any more and tear those there are."""
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _taken(self, reader, writer):
        task = asyncio.current_task()
        self._open.add(task)
        try:
            await self._handle(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._open.discard(task)

    async def _stream(self, request, writer):
        deltas = [({"role": "assistant", "content": ""}, None)]
        if wants_tool(request):
            words = ["tool"]
            deltas.append(({"tool_calls": [{"index": 0, **tool_call(request)}]}, None))
        else:
            question = [each for each in request["messages"] if each["role"] == "user"][-1]["content"]
            words = words_for(question, self.sampling)
            deltas += [({"content": each}, logprobs(request, [each])) for each in words]
        kind = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked"
        writer.write(f"HTTP/1.1 200 OK\r\n{HEADERS}{kind}\r\n\r\n".encode())
        events = [
            chunk(request, [{"index": 0, "delta": delta, "logprobs": lp, "finish_reason": None}])
            for delta, lp in deltas
        ]
        reason = "tool_calls" if wants_tool(request) else "stop"
        events.append(chunk(request, [{"index": 0, "delta": {}, "finish_reason": reason}]))
        events.append(chunk(request, [], usage=usage(words)))
        events.append(b"data: [DONE]\n\n")
        for event in events:
            writer.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
            if self.drip_s:
                await writer.drain()
                await asyncio.sleep(self.drip_s)
        writer.write(b"0\r\n\r\n")

    def _whole(self, request):
        message = {"role": "assistant", "content": None}
        if wants_tool(request):
            words, message["tool_calls"] = ["tool"], [tool_call(request)]
        else:
            question = [each for each in request["messages"] if each["role"] == "user"][-1]["content"]
            words = words_for(question, self.sampling)
            message["content"] = "".join(words)
        reason = "tool_calls" if wants_tool(request) else "stop"
        choice = {"index": 0, "message": message, "logprobs": logprobs(request, words), "finish_reason": reason}
        answer = {"id": "x", "object": "chat.completion", "created": 1, "model": request["model"], "choices": [choice]}
        return json.dumps(answer | {"usage": usage(words)}).encode()

    async def _chat(self, request, writer):
        self.asked += 1
        if self.busy:
            return send(writer, 429, b"{}", "Retry-After: 2\r\n")
        if self.hang:
            await asyncio.sleep(3600)
        await asyncio.sleep(self.delay_s)
        if self._chance.random() < self.errors:
            return send(writer, 500, b'{"error": {"message": "out of luck"}}')
        return await self._stream(request, writer) if request.get("stream") else send(writer, 200, self._whole(request))

    async def _handle(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                (int(x.split(":")[1]) for x in head.split("\r\n") if x.lower().startswith("content-length")), 0
            )
            body = json.loads(await reader.readexactly(length)) if length else None
            if head.split()[1] == "/health":
                send(writer, 200, b"")
            else:
                await self._chat(body, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


async def main():
    replica = PlayedReplica()
    replica.drip_s = float(sys.argv[2])
    await replica.open(int(sys.argv[1]))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
