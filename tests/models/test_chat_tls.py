"""A served model behind TLS: asked where its certificate counts, and nowhere else; certificates by configuration."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from certificates import Authority

from moslm import load
from moslm.config import TlsSettings, VLLMModel
from moslm.errors import BackendError, ConfigError
from moslm.models.chat import build_chat_model
from moslm.models.chat.vllm import tls_of
from moslm.models.replicas.health import health_of
from moslm.serving.looking import look

ANSWER = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "By TLS."}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
pytestmark = pytest.mark.loopback


class Answering(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say(ANSWER)

    def do_GET(self):
        self._say({"data": [{"id": "m"}]})

    def _say(self, what):
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Quiet(ThreadingHTTPServer):
    def handle_error(self, request, address):
        """Clients that refuse the certificate break off: that is what is tried here."""


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def serve(authority):
    """Serve by TLS on the loopback: ``serve(asks=True)`` wants to know who calls."""
    started = []

    def start(pair=None, asks=False):
        context, pair = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pair or authority.signed("server")
        context.load_cert_chain(pair.cert, pair.key)
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(authority.file)
        server = Quiet(("127.0.0.1", 0), Answering)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        started.append(server)
        return f"https://127.0.0.1:{server.server_port}/v1"

    yield start
    for each in started:
        each.shutdown()
        each.server_close()


def model(url, **tls):
    settings = VLLMModel(kind="vllm", name="m", base_url=[url], tls=TlsSettings(**tls))
    return build_chat_model(settings, deadline_ms=5000, allow_hosts=["loopback"])


async def test_a_server_of_ones_own_authority_is_asked_and_found_well(serve, authority):
    url = serve()
    asked = model(url, ca_file=authority.file)
    assert asked.invoke("hello").text == "By TLS."
    assert (await asked.ainvoke("hello")).text == "By TLS."
    settings = VLLMModel(kind="vllm", name="m", base_url=[url], tls=TlsSettings(ca_file=authority.file))
    assert health_of(["loopback"], tls_of(settings))(url)
    assert look([url], None, tls=tls_of(settings))[0].models == ("m",)


@pytest.mark.parametrize("trusting", ["the system", "another authority"])
async def test_a_server_whose_certificate_does_not_count_is_never_asked(serve, tmp_path, trusting):
    url = serve()
    tls = {} if trusting == "the system" else {"ca_file": Authority(tmp_path, "other").file}
    with pytest.raises(BackendError):
        model(url, **tls).invoke("hello")
    with pytest.raises(BackendError):
        await model(url, **tls).ainvoke("hello")
    context = tls_of(VLLMModel(kind="vllm", name="m", base_url=[url], tls=TlsSettings(**tls)))
    assert not health_of(["loopback"], context)(url)
    assert "its certificate does not count" in str(look([url], None, tls=context)[0].problem)


def test_a_certificate_for_another_address_does_not_count(serve, authority):
    url = serve(authority.signed("elsewhere", "10.0.0.1"))
    with pytest.raises(BackendError):
        model(url, ca_file=authority.file).invoke("hello")


def test_a_server_that_asks_who_calls_is_shown_the_clients_certificate(serve, authority):
    url, client = serve(asks=True), authority.signed("client")
    with pytest.raises(BackendError):
        model(url, ca_file=authority.file).invoke("hello")
    shown = model(url, ca_file=authority.file, cert_file=client.cert, key_file=client.key)
    assert shown.invoke("hello").text == "By TLS."


def test_files_that_hold_no_certificate_are_refused_in_one_line(authority, tmp_path):
    client, empty = authority.signed("client"), tmp_path / "empty.pem"
    empty.write_text("")
    for tls, said in (
        ({"ca_file": tmp_path / "none.pem"}, "tls.ca_file = .*cannot be read: No such file"),
        ({"ca_file": empty}, "tls.ca_file = .*holds no certificate; name a PEM file"),
        ({"cert_file": client.cert}, "tls.cert_file = .*holds no certificate with a private key"),
        ({"cert_file": tmp_path / "none.pem"}, "tls.cert_file = .*cannot be read"),
    ):
        with pytest.raises(ConfigError, match=said) as caught:
            model("https://127.0.0.1/v1", **tls)
        assert "\n" not in str(caught.value)


def test_certificates_are_files_beside_the_configuration(tmp_path):
    served = 'kind = "vllm"\nname = "m"\nbase_url = "https://127.0.0.1/v1"\ntls = { ca_file = "ca.pem" }\n'
    file = tmp_path / "moslm.toml"
    file.write_text(f"[domains.finance.model]\n{served}\n[large_model.model]\n{served}\n[defaults.model]\n{served}")
    config = load(file)
    for section in (config.domains["finance"], config.large_model, config.defaults):
        assert section.model.tls.ca_file == tmp_path / "ca.pem"
    file.write_text(f"[defaults.model]\n{served.replace('ca_file', 'key_file')}")
    with pytest.raises(ConfigError, match="key_file needs cert_file"):
        load(file)
