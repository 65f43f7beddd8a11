"""A LangSmith on loopback: it keeps what it is sent, the raw bytes too, and gives back what the client asks for."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

NOW = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
TENANT = str(uuid.UUID(int=1))


class Smith:
    """The endpoints that the client's calls of ours reach; anything else is answered 404 and kept in ``strange``."""

    def __init__(self) -> None:
        self.raw = b""
        self.runs: dict[str, dict] = {}
        self.projects: list[dict] = []
        self.datasets: list[dict] = []
        self.examples: list[dict] = []
        self.queues: list[dict] = []
        self.queued: list[str] = []
        self.configs: list[dict] = []
        self.feedback: list[dict] = []
        self.strange: list[str] = []
        smith = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                at = urlsplit(self.path)
                found = smith.get(at.path, parse_qs(at.query))
                self._send(found)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                smith.raw += self.path.encode() + b"\n" + body + b"\n"
                self._send(smith.post(urlsplit(self.path).path, body, self.headers.get("Content-Type", "")))

            do_PATCH = do_POST

            def _send(self, value):
                code = 404 if value is None else 200
                payload = json.dumps({} if value is None else value).encode()
                if value is None:
                    smith.strange.append(f"{self.command} {self.path}")
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def get(self, path, asked):
        if path == "/info":
            flags = {"dataset_examples_multipart_enabled": True}
            ingest = {"use_multipart_endpoint": False}
            return {"version": "0.17.0", "batch_ingest_config": ingest, "instance_flags": flags}
        if path == "/annotation-queues":
            return [each for each in self.queues if each["name"] in asked.get("name", [])]
        if path == "/feedback":
            start = int(asked.get("offset", ["0"])[0])
            found = [each for each in self.feedback if each["run_id"] in asked["run"] and each["key"] in asked["key"]]
            return found[start : start + 100]
        if path == "/datasets":
            return [each for each in self.datasets if each["name"] in asked.get("name", [])]
        if path == "/examples":
            start = int(asked.get("offset", ["0"])[0])
            return [each for each in self.examples if each["dataset_id"] in asked["dataset"]][start : start + 100]
        if path == "/sessions":
            return [each for each in self.projects if each["name"] in asked.get("name", [])]
        return None

    def post(self, path, body, kind):
        if path.startswith("/v1/platform/datasets/") and path.endswith("/examples"):
            return self._examples(path.split("/")[4], body, kind)
        told = json.loads(body)
        if path.startswith("/runs"):
            self.runs.setdefault(told["id"], {}).update(told)
            return {}
        if path in ("/sessions", "/datasets", "/annotation-queues"):
            made = {
                "tenant_id": TENANT,
                "created_at": NOW,
                "id": str(uuid.uuid4()),
                "reference_dataset_id": None,
                **told,
            }
            {"/sessions": self.projects, "/datasets": self.datasets, "/annotation-queues": self.queues}[path].append(
                made
            )
            return made
        if path.startswith("/sessions/"):
            return self.projects[-1]
        if path == "/feedback-configs":
            self.configs.append(told)
            return {"tenant_id": TENANT, "modified_at": NOW, **told}
        if path.startswith("/annotation-queues/"):
            self.queued += [each["run_id"] for each in told]
            return {}
        if path == "/feedback":
            made = {"created_at": NOW, "modified_at": NOW, "trace_id": None, **told}
            self.feedback.append(made)
            return made
        return None

    def _examples(self, dataset, body, kind):
        """Read the parts of a multipart body: each example's id, and after it its inputs, outputs and what it says."""
        boundary = kind.partition("boundary=")[2].strip('"').encode()
        made: dict[str, dict] = {}
        for part in body.split(b"--" + boundary)[1:-1]:
            head, _, content = part.strip(b"\r\n").partition(b"\r\n\r\n")
            name = head.partition(b'name="')[2].partition(b'"')[0].decode()
            id, _, field = name.partition(".")
            told = json.loads(content)
            example = made.setdefault(id, {"id": id, "dataset_id": dataset, "created_at": NOW, "outputs": {}})
            example.update({field: told} if field else {"metadata": told.get("metadata")})
        self.examples += made.values()
        return {"example_ids": list(made), "count": len(made)}

    def said(self, run_id, key, rater, **fields):
        """Have a person give feedback on a run."""
        self.feedback.append(
            {
                "id": str(uuid.uuid4()),
                "run_id": run_id,
                "trace_id": run_id,
                "key": key,
                "created_at": NOW,
                "modified_at": NOW,
                "feedback_source": {"type": "app", "user_name": rater},
                **fields,
            }
        )


@pytest.fixture
def smith(monkeypatch):
    """A LangSmith on loopback, which the environment names."""
    smith = Smith()
    monkeypatch.setenv("LANGSMITH_ENDPOINT", smith.url)
    monkeypatch.setenv("LANGSMITH_API_KEY", "x")
    yield smith
    smith.close()
