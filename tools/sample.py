"""Rows of the sample company, Larkmoor Outfitters, on the one day it lives on; they agree with its handbooks."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Table

from moslm.tools import schema

SAMPLE_DAY = date(2026, 11, 20)
"""The sample company's today: its orders and budgets would age otherwise."""


def _rows(columns: str, *values: tuple[Any, ...]) -> list[dict[str, Any]]:
    names = columns.split()
    return [dict(zip(names, row, strict=True)) for row in values]


def _budget_rows() -> list[dict[str, Any]]:
    # Euros of each quarter of 2026: (budget, spent, committed)
    years: dict[str, list[tuple[int, int, int]]] = {
        "1200": [(95_000, 93_410, 0), (98_000, 99_120, 0), (104_000, 101_875, 0), (120_000, 61_240, 8_300)],
        "1300": [(82_000, 80_655, 0), (84_000, 82_930, 0), (90_000, 93_480, 0), (101_000, 52_115, 4_900)],
        "1400": [(64_000, 62_200, 0), (66_000, 64_870, 0), (70_000, 69_340, 0), (79_000, 38_560, 2_750)],
        "2200": [(30_000, 24_180, 0), (30_000, 28_640, 0), (25_000, 26_500, 0), (35_000, 18_920, 6_400)],
        "3300": [(75_000, 73_905, 0), (75_000, 71_330, 0), (80_000, 78_215, 0), (90_000, 47_780, 21_600)],
        "4100": [(48_000, 46_120, 0), (55_000, 54_310, 0), (60_000, 48_250, 3_000), (85_000, 39_475, 12_800)],
        "5100": [(140_000, 137_860, 0), (145_000, 149_220, 0), (150_000, 158_940, 0), (190_000, 104_310, 15_000)],
    }
    columns = "cost_centre year quarter budget_cents spent_cents committed_cents"
    return [
        row
        for code, quarters in years.items()
        for quarter, euros in enumerate(quarters, 1)
        for row in _rows(columns, (code, 2026, quarter, *(100 * amount for amount in euros)))
    ]


SAMPLE_ROWS: dict[Table, list[dict[str, Any]]] = {
    schema.cost_centres: _rows(
        "code name holder",
        ("1200", "Galway shop", "Orla Keane"),
        ("1300", "Cork shop", "Padraig Lyons"),
        ("1400", "Limerick shop", "Sinead Walsh"),
        ("2200", "People and training", "Aoife Brennan"),
        ("3300", "IT", "Tomasz Zielinski"),
        ("4100", "Marketing", "Niamh Daly"),
        ("5100", "Warehouse and freight", "Eoin Farrell"),
    ),
    schema.budgets: _budget_rows(),
    schema.expense_categories: _rows(
        "account name keywords note",
        ("7610", "Travel: trains, buses and taxis", "train rail bus taxi cab tram ferry season", "Standard class."),
        ("7611", "Travel: flights", "flight plane airline airfare", "Economy class."),
        ("7612", "Travel: hotels", "hotel room night lodging accommodation", "Up to 140 euros a night."),
        ("7613", "Travel: own car", "mileage kilomet petrol fuel parking toll", "0.38 euros a kilometre."),
        ("7620", "Meals when travelling", "lunch breakfast meal food snack coffee", "Up to 45 euros a day."),
        ("7625", "Team dinners and guests", "dinner restaurant guest team party", "Name every guest."),
        ("7630", "Training and conferences", "training course conference seminar workshop", "Agree with your manager."),
        ("7640", "Software and subscriptions", "software subscription licen saas cloud", "Order from 500 euros on."),
        ("7650", "Office supplies", "paper pen toner stationery cable mouse keyboard", ""),
        ("7655", "Home office", "desk chair furniture", "Once, up to 250 euros."),
        ("7660", "Postage and couriers", "postage courier stamp parcel", ""),
        ("7670", "Phone and internet", "phone mobile roaming sim internet", "Internet at home is not paid."),
        ("7680", "Gifts", "gift present flowers", "Up to 50 euros a person a year."),
        ("7690", "Till differences", "till cash difference", "Up to 20 euros a day."),
        ("0410", "Equipment (capital expenditure)", "laptop machine forklift shelving equipment", "From 800 euros on."),
    ),
    schema.expense_rules: _rows(
        "kind limit_cents per above note",
        ("hotel", 14_000, "a night", "", "In Dublin and in capitals abroad the limit is 190 euros a night."),
        ("hotel_capital", 19_000, "a night", "", "For Dublin and capitals abroad."),
        ("meals", 4_500, "a day", "", "For trips abroad a daily allowance of 60 euros is paid instead."),
        ("team_dinner", 5_500, "a person", "the department head, beforehand", "Name every guest in the claim."),
        ("taxi", 4_000, "a ride", "", "When no public transport runs or with heavy luggage."),
        ("gift", 5_000, "a person a year", "the compliance officer, beforehand", "Cash and vouchers never."),
        ("home_office", 25_000, "a person, once", "", "After six months with the company."),
        ("lost_receipt", 4_999, "a receipt", "", "Fill in the form Missing receipt; from 50 euros ask for a copy."),
    ),
    schema.approval_limits: _rows(
        "approver limit_cents",
        ("team lead", 100_000),
        ("department head", 1_000_000),
        ("finance director", 5_000_000),
        ("managing director", None),
    ),
    schema.services: _rows(
        "name what status note",
        ("Gatehouse", "single sign-on and passwords", "running", ""),
        ("Switchback", "VPN", "slow", "The gateway Galway is overloaded; use the gateway Dublin. Mended by 17:00."),
        ("Lantern", "IT portal and tickets", "running", ""),
        ("Mail", "e-mail and calendar", "running", ""),
        ("Kestrel", "tills", "running", ""),
        ("Packhorse", "warehouse system and scanners", "down", "Since 13:10; engineers are on it. Next news at 14:30."),
        ("Cairn", "finance system", "running", "Maintenance on Sunday 02:00 to 06:00."),
        ("Tally", "expense app", "running", ""),
        ("Web shop", "online orders", "running", ""),
        ("Larkmoor Print", "printers", "running", ""),
        ("LM-Staff", "wireless network, wifi", "running", ""),
        ("Satchel", "file share", "running", ""),
    ),
    schema.tickets: _rows(
        "id opened_on summary urgency status resolution",
        (10482, date(2026, 11, 3), "Cannot connect to Switchback VPN from home, error 809", "normal", "solved",
         "Home router blocked it; Use port 443 was switched on in Switchback."),
        (10487, date(2026, 11, 5), "Printer on floor 2 reports paper jam without paper", "low", "solved",
         "Rear door opened and closed, switched off for 20 seconds."),
        (10491, date(2026, 11, 9), "Laptop battery lasts 40 minutes", "normal", "waiting for parts",
         "New battery ordered, expected on 24 November."),
        (10496, date(2026, 11, 12), "Doorbell app lost after change of phone", "high", "solved",
         "One-day code given after a video call, new phone added in Gatehouse."),
        (10500, date(2026, 11, 16), "Till 3 in Cork prints no receipts", "urgent", "solved",
         "Paper roll was in the wrong way round."),
        (10503, date(2026, 11, 17), "Access to the buying team's shared drive", "normal", "waiting for approval", ""),
        (10508, date(2026, 11, 19), "VPN drops every few minutes", "normal", "in work", ""),
        (10511, date(2026, 11, 20), "Packhorse does not answer, scanners stand still", "urgent", "in work", ""),
    ),
    schema.orders: _rows(
        "id placed_on status shipped_on delivered_on carrier delivery_cents club_member",
        (10233, date(2026, 9, 1), "delivered", date(2026, 9, 2), date(2026, 9, 4), "An Bealach", 0, False),
        (10290, date(2026, 11, 19), "being packed", None, None, None, 495, False),
        (10305, date(2026, 11, 2), "delivered", date(2026, 11, 3), date(2026, 11, 5), "An Bealach", 0, False),
        (10377, date(2026, 9, 20), "delivered", date(2026, 9, 21), date(2026, 9, 24), "Swiftpost", 0, True),
        (10411, date(2026, 11, 10), "delivered", date(2026, 11, 11), date(2026, 11, 13), "An Bealach", 495, True),
        (10452, date(2026, 11, 12), "cancelled", None, None, None, 495, False),
        (10482, date(2026, 11, 16), "on its way", date(2026, 11, 17), None, "An Bealach", 0, False),
        (20117, date(2026, 11, 20), "paid", None, None, None, 995, False),
    ),
    schema.order_lines: _rows(
        "order_id line article quantity price_cents no_return",
        (10233, 1, "Corrie rain jacket, blue, M", 1, 12_900, ""),
        (10290, 1, "Head torch Glim", 1, 3_450, ""),
        (10305, 1, "Ridge 2 tent", 1, 24_900, ""),
        (10305, 2, "Gas canister 230 g", 2, 695, "gas cannot be returned once opened"),
        (10377, 1, "Fleece Heath, green, L", 2, 5_990, ""),
        (10411, 1, "Hiking boots Torr, 42", 1, 15_900, ""),
        (10411, 2, "Knife Sligeach, engraved", 1, 4_900, "engraved articles cannot be returned"),
        (10452, 1, "Merino shirt, XL", 1, 5_450, ""),
        (10482, 1, "Rucksack Burren 45", 1, 13_900, ""),
        (20117, 1, "Sleeping mat Drift", 1, 7_900, ""),
    ),
    schema.refunds: _rows(
        "order_id amount_cents reason made_on",
        (10233, 3_000, "zip repaired at the customer's own cost", date(2026, 10, 6)),
    ),
}  # fmt: skip
