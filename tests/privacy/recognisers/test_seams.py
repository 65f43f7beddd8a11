import pytest

from moslm.privacy.recognisers import seams


def pieces(texts):
    return [
        (each.kind, text[each.start : each.end])
        for text, own in zip(texts, seams().find(texts), strict=True)
        for each in own
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["my card is 4111 1111", "1111 1111"], ["4111 1111", "1111 1111"]),
        (["my card is 4111 1111", "go on", "1111 1111 thanks"], ["4111 1111", "1111 1111"]),
        (["it is 4111 1111", "and the rest is 1111 1111, thanks"], ["4111 1111", "1111 1111"]),
        (["4111", "1111", "1111", "1111"], ["4111", "1111", "1111", "1111"]),
        (["mail maria.keller@", "contoso.example please"], ["maria.keller@", "contoso.example"]),
        (["mail maria.keller", "@contoso.example please"], ["maria.keller", "@contoso.example"]),
        (["IBAN DE89 3704 0044", "0532 0130 00"], ["DE89 3704 0044", "0532 0130 00"]),
        (["ssn 123-45", "-6789"], ["123-45", "-6789"]),
        (["call +49 170", "2345678"], ["+49 170", "2345678"]),
        (["key ghp_16C7e42F292c6912", "E7710c838347Ae178B4a"], ["ghp_16C7e42F292c6912", "E7710c838347Ae178B4a"]),
    ],
)
def test_what_is_split_over_messages_is_found_in_pieces(texts, expected):
    assert [words for _, words in pieces(texts)] == expected
    assert all(kind.endswith("_PART") for kind, _ in pieces(texts))


@pytest.mark.parametrize(
    "texts",
    [
        ["how are you", "fine, thanks"],
        ["I have 12 laptops", "and 30 phones"],
        ["order 10234567", "arrived on 2026-11-23"],
        ["", "", "4111 1111"],
        ["my card is 4111 1111 1111 1111", "it was refused"],
    ],
)
def test_nothing_is_made_up_between_messages(texts):
    assert pieces(texts) == []


def test_long_messages_touch_at_their_edges_alone():
    filler = "nothing " * 200
    assert [words for _, words in pieces([filler + "4111 1111", "1111 1111 " + filler])] == ["4111 1111", "1111 1111"]
