from __future__ import annotations

import gc
import socket
import threading

import openai
import pytest

from moslm.models.chat.connections import client

pytestmark = pytest.mark.loopback


def test_a_kept_connection_is_closed_once_nobody_uses_its_client_any_more():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []
        answering = threading.Thread(target=_answer, args=(listening, taken))
        answering.start()
        asking = client(openai.Timeout(5))
        assert asking.get(f"http://127.0.0.1:{listening.getsockname()[1]}/").json() == {}
        answering.join()
        with taken[0] as kept:
            kept.settimeout(0.1)
            with pytest.raises(TimeoutError):
                kept.recv(1)  # it is kept for the next call
            kept.settimeout(5)
            del asking
            gc.collect()
            assert kept.recv(1) == b""


def _answer(listening: socket.socket, taken: list[socket.socket]) -> None:
    connection, _ = listening.accept()
    taken.append(connection)
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
