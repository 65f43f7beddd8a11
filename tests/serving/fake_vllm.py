"""A stand-in for the ``vllm`` command: takes its arguments, behaves as FAKE_VLLM says, and has children as vLLM has."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SAYS = {
    "no_model": "OSError: org/none is not a local folder and is not a valid model identifier listed on 'the hub'",
    "oom": "(EngineCore pid=7) ERROR 11-24 04:00:00 [core.py:8] torch.OutOfMemoryError: CUDA out of memory. Tried",
    "port": "OSError: [Errno 98] Address already in use",
    "cpu": "RuntimeError: Engine core initialization failed. Failed core proc(s): {'EngineCore_0': -4}",
    "unknown": "Traceback (most recent call last):\nValueError: a quite new trouble\nINFO 11-24 bye",
}

parser = argparse.ArgumentParser()
parser.add_argument("serve", nargs="?")
parser.add_argument("positional", nargs="?")
parser.add_argument("--model")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int)
parser.add_argument("--served-model-name")
parser.add_argument("--lora-modules", nargs="*", default=[])
options, _ = parser.parse_known_args()
mode = os.environ.get("FAKE_VLLM", "ok")
notes = Path(os.environ["FAKE_VLLM_NOTES"])

if mode in SAYS:
    print("INFO 11-24 04:00:00 [api_server.py:1] starting", SAYS[mode], sep="\n", flush=True)
    sys.exit(1)
if mode == "sigill":
    signal.signal(signal.SIGILL, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGILL)

# an engine process in a session of its own that does not listen to SIGTERM
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
engine = subprocess.Popen([sys.executable, "-c", stubborn], start_new_session=True)
with (notes / f"{options.port}.pids").open("a") as file:
    file.write(f"{os.getpid()} {engine.pid}\n")
print("INFO 11-24 04:00:00 [model.py:1] Loading weights: 50 %", flush=True)
if mode == "never":
    time.sleep(600)

names = [options.served_model_name, *(each.partition("=")[0] for each in options.lora_modules)]
begun = time.monotonic()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        written = int((time.monotonic() - begun) * 100)
        bodies = {
            "/health": "",
            "/v1/models": json.dumps({"data": [{"id": name} for name in names]}),
            "/metrics": f'vllm:num_requests_running{{model_name="x"}} 1.0\n'
            f'vllm:num_requests_waiting{{model_name="x"}} 0.0\n'
            f'vllm:generation_tokens_total{{model_name="x"}} {written}\n',
        }
        self.send_response(200 if self.path in bodies else 404)
        self.end_headers()
        self.wfile.write(bodies.get(self.path, "").encode())

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for number in range(asked["max_tokens"]):
                self.say(json.dumps({"choices": [{"index": 0, "delta": {"content": f"{number} "}}]}))
                time.sleep(0.02)
            self.say("[DONE]")
            self.wfile.write(b"0\r\n\r\n")
        except BrokenPipeError:
            (notes / "hung_up").touch()
        self.close_connection = True

    def say(self, data):
        event = f"data: {data}\n\n".encode()
        self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer((options.host, options.port), Handler)
signal.signal(signal.SIGTERM, lambda *_: (print("ending in order", flush=True), os._exit(0)))
server.serve_forever(0.05)
