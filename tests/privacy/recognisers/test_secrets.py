import pytest

# written in halves, so that no scanner of repositories takes them for keys
KEYS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_" + "11ABCDEFG0abcdefghijkl_mnopqrstuv",
    "xoxb-" + "2345678901-2345678901-abcdefghijklmnop",
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "sk-proj-" + "abcdefghijklmnop1234",
    "AIza" + "SyA1234567890abcdefghijklmnopqrstu",
    "glpat-" + "abcdefghij0123456789",
    "hf_" + "abcdefghijABCDEFGHIJ0123456789abcd",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
]


@pytest.mark.parametrize("key", KEYS)
def test_keys_of_well_known_makers_are_found_by_their_form(found, key):
    assert found(f"it says {key} here") == [("SECRET", key)]


def test_a_private_key_is_found_whole_and_also_where_its_end_is_missing(found):
    body = "MIIEowIBAAKCAQEA\nabcdef0123456789\n"
    whole = f"-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----"
    assert found(f"here:\n{whole}\nthanks") == [("SECRET", whole)]
    cut = f"-----BEGIN PRIVATE KEY-----\n{body}"
    assert found(f"here:\n{cut}") == [("SECRET", cut)]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("api_key=3f9a7c21d0", "3f9a7c21d0"),
        ('{"client_secret": "Zx81kkQ0pLm2"}', "Zx81kkQ0pLm2"),
        ("Authorization: Bearer abc123def456ghi7", "abc123def456ghi7"),
        ("password: swordfish", "swordfish"),
        ("my password is hunter2!x", "hunter2!x"),
        ("Mein Passwort lautet Blau4711", "Blau4711"),
        ("DB_PASSWORD=s3cr3t-pw", "s3cr3t-pw"),
        ("the key you gave me, 9f86d081884c7d659a2feaa0c55ad015, fails", "9f86d081884c7d659a2feaa0c55ad015"),
        ("https://api.example.com/v1?token=a8f5f167f44f4964", "a8f5f167f44f4964"),
    ],
)
def test_a_secret_is_found_behind_a_word_that_names_it(found, text, secret):
    assert found(text) == [("SECRET", secret)]


@pytest.mark.parametrize(
    "text",
    ["the password is wrong", "my token expired", "the key is missing", "how do I reset my password?", "press any key"],
)
def test_talk_about_secrets_is_none(found, text):
    assert found(text) == []
