from __future__ import annotations

import pytest

from moslm.tools import effect_of
from moslm.tools.finance import budget_status, expense_category, policy_check


def test_budget_status_gives_quarter_and_year(company):
    tool = budget_status(company)
    assert tool.invoke({"cost_centre": "4100", "quarter": "Q3"}) == (
        "4100 Marketing, 2026 Q3: budget 60,000.00 EUR, spent 48,250.00 EUR, committed 3,000.00 EUR, 8,750.00 EUR left."
    )
    year = tool.invoke({"cost_centre": "marketing", "year": 2026})
    assert year.startswith("4100 Marketing, 2026: budget 248,000.00 EUR, spent 188,155.00 EUR")


def test_an_overspent_budget_is_said_to_be_over(company):
    said = budget_status(company).invoke({"cost_centre": 2200, "quarter": 3})
    assert said.endswith("over budget by 1,500.00 EUR.")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"cost_centre": "9999"}, "There is no such cost centre. There are: 1200 Galway shop, 1300 Cork shop"),
        ({"cost_centre": "shop"}, "Several cost centres fit: 1200 Galway shop, 1300 Cork shop, 1400 Limerick shop."),
        ({"cost_centre": "100%"}, "There is no such cost centre."),
        ({"cost_centre": "4100", "year": 2031}, "There is no budget of 4100 Marketing for 2031."),
    ],
)
def test_what_is_not_there_is_an_ordinary_answer(company, asked, said):
    assert budget_status(company).invoke(asked).startswith(said)


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ("Train ticket to Dublin", "Travel: trains, buses and taxis, account 7610. Standard class."),
        ("two nights in a hotel", "Travel: hotels, account 7612."),
        ("annual licence for drawing software", "Software and subscriptions, account 7640."),
        ("a unicorn", "No category fits."),
    ],
)
def test_expense_category_finds_the_account(company, description, said):
    assert expense_category(company).invoke({"description": description}).startswith(said)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kind": "purchase", "amount": 1000}, "A purchase of 1,000.00 EUR needs the approval of the team lead."),
        ({"kind": "purchase", "amount": "1,000.01"}, "A purchase of 1,000.01 EUR needs the approval of the department"),
        ({"kind": "Purchase", "amount": "180,000 EUR"}, "A purchase of 180,000.00 EUR needs the approval of the man"),
        ({"kind": "team dinner", "amount": 440, "people_or_nights": 8}, "Allowed. The limit is 55.00 EUR a person."),
        ({"kind": "team dinner", "amount": 441, "people_or_nights": 8}, "Only with the approval of the department"),
        ({"kind": "taxi", "amount": "40,01 €"}, "Not allowed. The limit is 40.00 EUR a ride."),
        ({"kind": "yacht", "amount": 1}, "There is no rule of that kind. Kinds: purchase, gift"),
    ],
)  # fmt: skip
def test_policy_check_holds_amounts_against_the_rules(company, asked, said):
    assert policy_check(company).invoke(asked).startswith(said)


@pytest.mark.parametrize("amount", ["-5", "0", "NaN", "Infinity", "1e30", "ten", "1.005"])
def test_an_amount_that_is_none_becomes_a_helpful_message(company, run, amount):
    said = run(policy_check(company)).message(kind="taxi", amount=amount)
    assert said.status == "error"
    assert said.text.startswith("policy_check was not run. amount: ")


def test_all_finance_tools_only_read(company):
    assert {effect_of(make(company)) for make in (budget_status, expense_category, policy_check)} == {"read"}
