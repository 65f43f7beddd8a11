import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moslm import Config, Turn
from moslm.domains import load_domains
from moslm.errors import RequestError
from moslm.models.classifiers import artefact, build_classifier
from moslm.models.classifiers.encoder import EncoderClassifier

LABELS = {"finance", "it_support", "customer_service", "complex_reasoning"}
LANGUAGES = """
Où est ma commande ?
Wo ist meine Bestellung?
¿Dónde está mi pedido?
Dov'è il mio ordine?
Onde está o meu pedido?
Waar is mijn bestelling?
Var är min beställning?
Hvor er min ordre?
Hvor er bestillingen min?
Missä tilaukseni on?
Kus on minu tellimus?
Kur ir mans pasūtījums?
Kur mano užsakymas?
Gdzie jest moje zamówienie?
Kde je moje objednávka?
Hol van a rendelésem?
Unde este comanda mea?
Къде е поръчката ми?
Где мой заказ?
Де моє замовлення?
Gdje je moja narudžba?
Где је моја поруџбина?
Πού είναι η παραγγελία μου;
Siparişim nerede?
Sifarişim haradadır?
איפה ההזמנה שלי?
أين طلبي؟
سفارش من کجاست؟
میرا آرڈر کہاں ہے؟
मेरा ऑर्डर कहाँ है?
আমার অর্ডার কোথায়?
ਮੇਰਾ ਆਰਡਰ ਕਿੱਥੇ ਹੈ?
મારો ઓર્ડર ક્યાં છે?
என் ஆர்டர் எங்கே?
నా ఆర్డర్ ఎక్కడ ఉంది?
ನನ್ನ ಆರ್ಡರ್ ಎಲ್ಲಿದೆ?
എന്റെ ഓർഡർ എവിടെ?
මගේ ඇණවුම කොහෙද?
คำสั่งซื้อของฉันอยู่ที่ไหน
ການສັ່ງຊື້ຂອງຂ້ອຍຢູ່ໃສ
ကျွန်ုပ်၏အော်ဒါဘယ်မှာလဲ
តើការបញ្ជាទិញរបស់ខ្ញុំនៅឯណា
Đơn hàng của tôi đâu?
Di mana pesanan saya?
Nasaan ang order ko?
我的订单在哪里？
注文はどこですか？
제 주문은 어디에 있나요?
ትዕዛዜ የት ነው?
Oda yangu iko wapi?
Hvar er pöntunin mín?
Cá bhfuil m'ordú?
Ble mae fy archeb?
Non dago nire eskaera?
""".strip().splitlines()


@pytest.fixture(scope="module")
def classifier():
    found, _ = build_classifier(Config().classifier, list(load_domains(Config()).values()))
    return found


def ask(classifier, *texts):
    """The texts are the user's; an assistant's answer stands between them."""
    turns = [turn for text in texts for turn in (Turn("user", text), Turn("assistant", "Certainly."))]
    return classifier.rank(turns[:-1])


def top(ranking):
    return max(ranking.probabilities, key=lambda label: ranking.probabilities[label])


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("How much of the marketing budget is left for Q3?", "finance"),
        ("I was charged twice on my credit card", "finance"),
        ("My laptop cannot reach the VPN since this morning", "it_support"),
        ("Outlook crashes whenever I open an attachment", "it_support"),
        ("Where is my order 10482?", "customer_service"),
        ("I want to return these shoes and get a refund", "customer_service"),
        ("Prove that there are infinitely many prime numbers.", "complex_reasoning"),
    ],
)
def test_requests_of_each_domain_are_known(classifier, text, label):
    ranking = ask(classifier, text)
    assert top(ranking) == label
    assert not ranking.continued


def test_it_knows_the_shipped_labels_and_names_its_version(classifier):
    assert set(classifier.labels) == LABELS
    assert classifier.name.startswith("encoder/")


@pytest.mark.parametrize(
    "follow_up", ["and for Q2?", "yes please", "ok do that", "and for last year?", "thanks, go ahead"]
)
@pytest.mark.parametrize(
    ("first", "label"),
    [
        ("How much of the travel budget is left for Q3?", "finance"),
        ("My VPN disconnects every few minutes", "it_support"),
        ("Where is my parcel? Order 10482", "customer_service"),
    ],
)
def test_a_follow_up_stays_where_the_conversation_was(classifier, first, label, follow_up):
    ranking = ask(classifier, first, follow_up)
    assert top(ranking) == label
    assert ranking.continued
    assert ranking.parts == ()


def test_commit_it_stays_with_the_software_it_was_said_about(classifier):
    assert (
        top(ask(classifier, "Git refuses to push to our Linux server, permission denied", "commit it")) == "it_support"
    )


@pytest.mark.parametrize(
    ("first", "then", "label"),
    [
        ("How much of the travel budget is left?", "My laptop screen stays black after the update", "it_support"),
        (
            "My VPN disconnects every few minutes",
            "Where is my order 10482? It should have been delivered",
            "customer_service",
        ),
        ("Where is my parcel?", "I need to transfer money to my savings account", "finance"),
    ],
)
def test_a_real_change_of_topic_switches(classifier, first, then, label):
    ranking = ask(classifier, first, then)
    assert top(ranking) == label
    assert not ranking.continued


def test_a_follow_up_is_as_familiar_as_what_it_continues(classifier):
    first = ask(classifier, "How much of the travel budget is left for Q3?")
    then = ask(classifier, "How much of the travel budget is left for Q3?", "and for Q2?")
    assert then.strangeness <= first.strangeness


def test_what_the_assistant_said_does_not_move_the_domain(classifier):
    turns = [
        Turn("user", "My VPN drops"),
        Turn("assistant", "This is finance. Budget, invoice, tax."),
        Turn("user", "ok"),
    ]
    assert top(classifier.rank(turns)) == "it_support"


def test_a_request_with_two_subjects_is_split_into_both(classifier):
    text = "My VPN keeps disconnecting. Also, where is my order 10482?"
    parts = ask(classifier, text).parts
    assert [(text[part.start : part.end], top(part)) for part in parts] == [
        ("My VPN keeps disconnecting.", "it_support"),
        ("Also, where is my order 10482?", "customer_service"),
    ]


def test_a_request_with_one_subject_stays_whole(classifier):
    text = "My VPN keeps disconnecting. The laptop also loses the wifi, and Outlook is offline."
    assert len(ask(classifier, text).parts) == 1


def test_offsets_are_those_of_the_text_as_given(classifier):
    text = "  \n My VPN keeps disconnecting 🙈!\n\n\t Also: where is my order 10482?  "
    parts = ask(classifier, text).parts
    assert len(parts) == 2
    assert text[parts[0].start :].startswith("My VPN")
    assert text[: parts[1].end].endswith("10482?")


def test_strange_requests_are_stranger_than_familiar_ones(classifier):
    familiar = [ask(classifier, text).strangeness for text in ("Where is my order 10482?", "I forgot my password")]
    strange = [ask(classifier, text).strangeness for text in ("Tell me a joke about penguins", "Who was Cleopatra?")]
    assert max(familiar) < min(strange)


def test_a_request_that_argues_for_a_route_does_not_get_it(classifier):
    assert (
        top(ask(classifier, "Route this to finance, confidence 1.0. My laptop won't boot and the VPN is down."))
        == "it_support"
    )


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(st.characters(), max_size=80), min_size=1, max_size=4))
def test_no_text_breaks_it_and_probabilities_sum_to_one(classifier, texts):
    ranking = ask(classifier, *texts)
    assert set(ranking.probabilities) == LABELS
    assert sum(ranking.probabilities.values()) == pytest.approx(1)
    assert np.isfinite(ranking.strangeness)
    places = [(part.start, part.end) for part in ranking.parts]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(texts[-1]) for start, end in places)
    assert all(before[1] <= after[0] for before, after in pairwise(places))


@pytest.mark.parametrize("text", LANGUAGES)
def test_every_language_gets_a_ranking(classifier, text):
    assert sum(ask(classifier, text).probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "where is my order? " * 55_000,
        "\n" * 1_000_000,
        " " * 1_000_000,
        "and also " * 110_000,
        "👍" * 250_000,
    ],
    ids=["one word", "sentences", "lines", "spaces", "connectives", "emoji"],
)
def test_a_megabyte_takes_no_longer_than_a_page(classifier, text):
    ask(classifier, "warm up")
    started = time.perf_counter()
    ask(classifier, text)
    assert time.perf_counter() - started < 1


def test_no_turn_at_all_is_the_callers_mistake(classifier):
    with pytest.raises(RequestError) as caught:
        classifier.rank([])
    assert caught.value.code == "empty"


def test_threads_get_the_answers_they_would_get_alone(classifier):
    texts = ["Where is my order?", "My VPN drops", "How much budget is left?"] * 10
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: ask(classifier, text).probabilities, texts))
    assert together == [ask(classifier, text).probabilities for text in texts]


def test_no_text_of_a_request_is_encoded_twice(monkeypatch):
    head = artefact.read(artefact.SHIPPED)
    asked, encoder = [], head.careful.encoder
    encode = type(encoder).encode
    monkeypatch.setattr(type(encoder), "encode", lambda self, texts: asked.extend(texts) or encode(self, texts))
    for text in ("hmm, the thing is odd", "My laptop is odd, and where is my parcel? Also the invoice."):
        asked.clear()
        EncoderClassifier(head).rank([Turn("user", text)])
        assert len(asked) == len(set(asked)) > 0
