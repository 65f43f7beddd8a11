from __future__ import annotations

import pytest

from moslm import Config
from moslm.config import DomainSettings, deadline_of
from moslm.domains import load_domains


@pytest.mark.parametrize(
    ("latency", "own", "deadline"), [(100, None, 10_000), (500, None, 30_000), (3000, None, 30_000), (100, 250, 250)]
)
def test_the_latency_budget_bounds_the_deadline_unless_one_is_named(latency, own, deadline):
    assert deadline_of(latency, own) == deadline


def test_each_shipped_domain_is_given_up_by_its_own_budget():
    found = {name: domain.settings.deadline_ms for name, domain in load_domains(Config()).items()}
    assert found["customer_service"] == 10_000
    assert found["it_support"] == 30_000


def test_a_named_deadline_wins():
    config = Config(domains={"customer_service": DomainSettings(deadline_ms=700)})
    assert load_domains(config)["customer_service"].settings.deadline_ms == 700
