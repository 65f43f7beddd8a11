from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moslm.errors import BackendDown, ConfigError
from moslm.privacy.egress import check_base_url, resolve_and_check

DEFAULT = ["loopback", "private"]


def _passes(url: str, allow=DEFAULT) -> bool:
    try:
        check_base_url(url, allow)
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1",
        "http://127.9.9.9/v1",
        "http://localhost:8000/v1",
        "HTTP://LOCALHOST:8000/v1",
        "http://[::1]:8000/v1",
        "https://10.1.2.3/v1",
        "http://172.16.0.1/v1",
        "http://172.31.255.255/v1",
        "http://192.168.1.1:8000/v1",
        "http://[fd12:3456::1]/v1",
    ],
)
def test_loopback_and_private_addresses_pass_by_default(url):
    check_base_url(url, DEFAULT)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/v1",
        "http://[fd00:ec2::254]/latest",
        "http://8.8.8.8/v1",
        "http://172.32.0.1/v1",
        "http://0.0.0.0:8000/v1",
        "http://[::]:8000/v1",
        "http://224.0.0.1/v1",
        "http://100.100.100.200/v1",
        "http://models.example.com/v1",
        "http://localhost.example.com/v1",
        "http://127.0.0.1.example.com/v1",
        "http://vllm:8000/v1",
    ],
)
def test_other_hosts_are_refused_by_default(url):
    assert not _passes(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/v1",
        "http://0x7f000001/v1",
        "http://0x7f.1/v1",
        "http://0177.0.0.1/v1",
        "http://127.1/v1",
        "http://127.0.0.0x1/v1",
        "http://[::ffff:127.0.0.1]/v1",
        "http://[::ffff:169.254.169.254]/v1",
        "http://[64:ff9b::a9fe:a9fe]/v1",
        "http://[2002:7f00:0001::]/v1",
        "http://[fe80::1%25eth0]/v1",
        "http://127.0.0.1@evil.example/v1",
        "http://user:pass@127.0.0.1/v1",
        "http://evil.example\\@127.0.0.1/v1",
        "http://127.0.0.1\t.evil.example/v1",
        "http://127.0.0.1 .evil.example/v1",
        "http://127.0.0.1./v1",
        "http://localhost./v1",
        "http://１２７.0.0.1/v1",
        "http://127。0。0。1/v1",
        "http://127.0.0.1%00.evil.example/v1",
        "http://127.0.0.1:99999/v1",
        "http://127.0.0.1:port/v1",
        "http://[::1/v1",
        "http:///v1",
        "http:127.0.0.1/v1",
        "//127.0.0.1/v1",
        "ftp://127.0.0.1/v1",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "javascript:alert(1)",
        "",
    ],
)
def test_addresses_that_hide_where_they_lead_are_refused(url):
    assert not _passes(url)


@pytest.mark.parametrize("host", ["models.example.com", "8.8.8.8", "2001:db8::1", "vllm.example"])
def test_a_named_host_outside_is_never_asked_in_the_clear_unless_that_is_said(host):
    spelled = f"[{host}]" if ":" in host else host
    check_base_url(f"https://{spelled}/v1", [host])
    with pytest.raises(ConfigError) as caught:
        check_base_url(f"http://{spelled}/v1", [*DEFAULT, host], file="moslm.toml", key="mcp.web.url")
    assert str(caught.value).startswith("moslm.toml: mcp.web.url = ")
    assert "would be asked in the clear" in str(caught.value)
    assert f'write https://, or add "http://{host}" to allow_hosts' in str(caught.value)
    check_base_url(f"http://{spelled}/v1", [host, f"http://{host}"])
    assert not _passes(f"http://{spelled}/v1", [f"http://{host}"])


@pytest.mark.parametrize("host", ["vllm", "llm.internal", "small.models.svc", "a.svc.cluster.local", "box.lan"])
def test_a_named_host_inside_may_be_asked_in_the_clear(host):
    check_base_url(f"http://{host}:8000/v1", [host])


def test_a_named_host_passes_and_no_other():
    allow = ["Models.Example.com", "8.8.8.8", "2001:db8::1"]
    check_base_url("https://models.example.com/v1", allow)
    check_base_url("https://8.8.8.8/v1", allow)
    check_base_url("https://[2001:db8:0::1]/v1", allow)
    for url in ("https://x.models.example.com/v1", "http://8.8.4.4/v1", "http://127.0.0.1/v1", "http://10.0.0.1/v1"):
        assert not _passes(url, allow)


def test_the_classes_are_apart():
    assert _passes("http://127.0.0.1/v1", ["loopback"])
    assert not _passes("http://10.0.0.1/v1", ["loopback"])
    assert _passes("http://10.0.0.1/v1", ["private"])
    assert not _passes("http://localhost/v1", ["private"])
    assert not _passes("http://127.0.0.1/v1", [])


def test_the_class_words_are_no_host_names():
    assert not _passes("http://private/v1", ["private"])
    assert not _passes("http://loopback/v1", ["loopback"])


def test_the_message_names_file_key_value_and_mend():
    with pytest.raises(ConfigError) as refused:
        check_base_url("http://vllm:8000/v1", DEFAULT, file="moslm.toml", key="defaults.model.base_url")
    text = str(refused.value)
    assert text.startswith("moslm.toml: defaults.model.base_url = 'http://vllm:8000/v1': ")
    assert 'add "vllm" to allow_hosts' in text


def test_a_password_in_an_address_is_not_repeated():
    with pytest.raises(ConfigError) as refused:
        check_base_url("http://user:hunter2@127.0.0.1/v1", DEFAULT)
    assert "hunter2" not in str(refused.value)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_passes_only_if_it_is_of_a_class(address):
    private = any(
        address in ipaddress.ip_network(block)
        for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
    )
    assert _passes(f"http://{address}/v1") == private


@given(st.ip_addresses(v=4, network="169.254.0.0/16") | st.ip_addresses(v=6, network="fe80::/10"))
def test_no_link_local_address_ever_passes(address):
    assert not _passes(f"http://{f'[{address}]' if address.version == 6 else address}/v1")


@given(st.ip_addresses(v=4))
def test_no_address_passes_inside_another_family(address):
    assert not _passes(f"http://[::ffff:{address}]/v1")
    assert not _passes(f"http://{int(address)}/v1")


@given(st.text(max_size=40))
def test_no_text_at_all_breaks_the_check(text):
    _passes(text)
    _passes(f"http://{text}/v1")


def _resolver(monkeypatch, *addresses):
    def answer(host, port, *args, **kwargs):
        if not addresses:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_a_listed_name_may_lead_out_or_into_the_private_network(monkeypatch):
    _resolver(monkeypatch, "10.1.2.3", "93.184.216.34", "10.1.2.3")
    assert resolve_and_check("models.example.com", ["models.example.com"]) == ["10.1.2.3", "93.184.216.34"]


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "127.0.0.1", "0.0.0.0", "fe80::1%eth0"]
)
def test_a_listed_name_may_not_lead_to_this_machine_or_a_metadata_service(monkeypatch, address):
    _resolver(monkeypatch, "10.1.2.3", address)
    with pytest.raises(ConfigError, match="not allowed"):
        resolve_and_check("models.example.com", ["models.example.com", "private"])


def test_localhost_must_be_this_machine(monkeypatch):
    _resolver(monkeypatch, "127.0.0.1")
    assert resolve_and_check("localhost", DEFAULT) == ["127.0.0.1"]
    _resolver(monkeypatch, "93.184.216.34")
    with pytest.raises(ConfigError):
        resolve_and_check("localhost", DEFAULT)


def test_a_name_that_does_not_resolve_is_a_server_that_is_down(monkeypatch):
    _resolver(monkeypatch)
    with pytest.raises(BackendDown) as down:
        resolve_and_check("models.example.com", ["models.example.com"])
    assert "example" not in str(down.value)


def test_an_address_is_judged_without_asking_anybody():
    assert resolve_and_check("10.0.0.1", DEFAULT) == ["10.0.0.1"]
    with pytest.raises(ConfigError):
        resolve_and_check("169.254.169.254", DEFAULT)
