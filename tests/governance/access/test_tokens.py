"""A token proves its bearer's identity only where the configured issuer signed it, for us, now."""

from __future__ import annotations

import base64
import hmac
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from moslm.config import JwtSettings
from moslm.errors import AccessDenied, ConfigError
from moslm.governance.access.actions import Caller
from moslm.governance.access.tokens import TokenVerifier

OURS = RSAKey.generate_key(2048, {"kid": "2026"})
THEIRS = RSAKey.generate_key(2048, {"kid": "2026"})
PUBLIC_PEM = OURS.as_pem(private=False)


def settings(**other) -> JwtSettings:
    given = {"issuer": "https://id.acme.example", "audience": "moslm", "key_env": "JWT_KEY", **other}
    return JwtSettings.model_validate(given)


def claims(**other):
    now = int(time.time())
    given = {"iss": "https://id.acme.example", "aud": "moslm", "iat": now, "exp": now + 300, "sub": "u1"}
    return {**given, "tenant": "acme", "role": "operator", **other}


def token(of=None, key=OURS, alg="RS256", **header) -> str:
    return jwt.encode({"alg": alg, "kid": "2026", **header}, of or claims(), key, algorithms=[alg])


def unsigned(header, of=None, signature=b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(of or claims()).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in parts)


def signed_with_the_public_key() -> str:
    head, body, _ = unsigned({"alg": "HS256", "kid": "2026"}).split(".")
    signature = hmac.digest(PUBLIC_PEM, f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.fixture(params=["key_env", "jwks_file"])
def verifier(request, monkeypatch, tmp_path):
    if request.param == "key_env":
        monkeypatch.setenv("JWT_KEY", PUBLIC_PEM.decode())
        return TokenVerifier(settings())
    other = RSAKey.generate_key(2048, {"kid": "2025"})
    (tmp_path / "jwks.json").write_text(json.dumps(KeySet([OURS, other]).as_dict(private=False)))
    return TokenVerifier(settings(key_env=None, jwks_file=tmp_path / "jwks.json"))


def test_a_token_of_the_issuer_names_tenant_user_and_role(verifier):
    assert verifier.caller(token()) == Caller("acme", "u1", "operator")


FORGED = {
    "no algorithm": lambda: unsigned({"alg": "none"}),
    "no algorithm, spelled oddly": lambda: unsigned({"alg": "nOnE", "kid": "2026"}),
    "the public key as a secret": lambda: signed_with_the_public_key(),
    "an algorithm that is not pinned": lambda: token(alg="RS512"),
    "a stranger's signature": lambda: token(key=THEIRS),
    "a key it brings along": lambda: token(key=THEIRS, jwk=THEIRS.as_dict(private=False)),
    "a key it points to": lambda: token(key=THEIRS, jku="https://evil.example/jwks.json"),
    "a header nobody understands": lambda: unsigned({"alg": "RS256", "crit": ["exp"], "exp": 1}),
    "a key id that is a path, unsigned": lambda: unsigned({"alg": "RS256", "kid": "../../../../dev/null"}),
    "expired": lambda: token(claims(exp=int(time.time()) - 60)),
    "no end": lambda: token({k: v for k, v in claims().items() if k != "exp"}),
    "not yet": lambda: token(claims(nbf=int(time.time()) + 600)),
    "for somebody else": lambda: token(claims(aud="billing")),
    "for nobody": lambda: token({k: v for k, v in claims().items() if k != "aud"}),
    "of another issuer": lambda: token(claims(iss="https://id.rival.example")),
    "no tenant": lambda: token(claims(tenant="")),
    "several tenants": lambda: token(claims(tenant=["acme", "rival"])),
    "no user": lambda: token(claims(sub=None)),
    "a role that is none": lambda: token(claims(role="root")),
    "several roles": lambda: token(claims(role=["admin"])),
    "claims that are no table": lambda: unsigned({"alg": "RS256"}, [1]),
    "altered claims": lambda: ".".join(
        [token().split(".")[0], unsigned({}, claims(role="admin")).split(".")[1], token().split(".")[2]]
    ),
    "too long": lambda: token(claims(pad="x" * 20_000)),
    "nothing": lambda: "",
    "no token": lambda: "a.b.c",
}


@pytest.mark.parametrize("kind", FORGED)
def test_whatever_proves_nothing_is_denied_in_one_line(verifier, kind):
    with pytest.raises(AccessDenied) as caught:
        verifier.caller(FORGED[kind]())
    assert str(caught.value).startswith("the token is not accepted: ")
    assert "\n" not in str(caught.value)


def test_a_key_id_that_is_a_path_opens_no_file(verifier, monkeypatch):
    def opened(*_, **__):
        raise AssertionError("a file was opened")

    monkeypatch.setattr("builtins.open", opened)
    with pytest.raises(AccessDenied):
        verifier.caller(token(key=THEIRS, kid="../../../../etc/passwd"))


@given(st.text())
def test_no_text_is_a_token(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JWT_KEY", PUBLIC_PEM.decode())
        verifier = TokenVerifier(settings())
    with pytest.raises(AccessDenied):
        verifier.caller(text)


def test_a_shared_secret_and_other_kinds_of_keys_verify_too(monkeypatch):
    monkeypatch.setenv("JWT_KEY", "s" * 40)
    shared = TokenVerifier(settings(algorithms=["HS256"]))
    assert shared.caller(token(key=OctKey.import_key("s" * 40), alg="HS256")).tenant == "acme"
    curve = ECKey.generate_key("P-256")
    monkeypatch.setenv("JWT_KEY", curve.as_pem(private=False).decode())
    assert TokenVerifier(settings(algorithms=["ES256"])).caller(token(key=curve, alg="ES256")).role == "operator"


@pytest.mark.parametrize(
    ("value", "algorithms", "told"),
    [
        (None, ["RS256"], "the environment variable is not set; run: export JWT_KEY=..."),
        ("no key", ["RS256"], "holds no key that can be read"),
        ("short", ["HS256"], "the secret is too short; make one with: openssl rand -base64 48"),
    ],
)
def test_a_key_that_cannot_stand_is_one_line(monkeypatch, value, algorithms, told):
    if value is not None:
        monkeypatch.setenv("JWT_KEY", value)
    with pytest.raises(ConfigError) as caught:
        TokenVerifier(settings(algorithms=algorithms))
    assert str(caught.value) == f"access.jwt.key_env = 'JWT_KEY': {told}"


@pytest.mark.parametrize(
    "content", [None, "{}", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}]}', "no"]
)
def test_a_key_set_that_cannot_stand_is_one_line(tmp_path, content):
    if content is not None:
        (tmp_path / "jwks.json").write_text(content)
    with pytest.raises(ConfigError, match=r"^access\.jwt\.jwks_file = "):
        TokenVerifier(settings(key_env=None, jwks_file=tmp_path / "jwks.json"))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"algorithms": ["HS256", "RS256"]}, "do not stand together"),
        ({"algorithms": ["none"]}, "algorithms"),
        ({"algorithms": []}, "algorithms"),
        ({"jwks_file": "x.json"}, "name one"),
        ({"key_env": None}, "name one"),
        ({"key_env": None, "jwks_file": "x.json", "algorithms": ["HS256"]}, "does not stand in a file of public keys"),
    ],
)
def test_settings_that_would_confuse_keys_are_refused(other, told):
    with pytest.raises(ValueError, match=told):
        settings(**other)
