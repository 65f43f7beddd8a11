from __future__ import annotations

import asyncio
import socket
import threading

import openai
import pytest

from moslm.models.chat.connections import async_client, client

pytestmark = pytest.mark.loopback


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_no_connection_is_kept_after_a_call(kind):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []
        answering = threading.Thread(target=_answer, args=(listening, taken))
        answering.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        if kind == "sync":
            asking = client(openai.Timeout(5))
            assert asking.get(url).json() == {}
        else:
            asking = async_client(openai.Timeout(5))
            assert asyncio.run(asking.get(url)).json() == {}
        answering.join()
        with taken[0] as connection:
            connection.settimeout(5)
            assert connection.recv(1) == b""


def _answer(listening: socket.socket, taken: list[socket.socket]) -> None:
    connection, _ = listening.accept()
    taken.append(connection)
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
