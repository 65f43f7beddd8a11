"""A gate opens only to figures that were measured and that reach it."""

from __future__ import annotations

import pytest

from moslm.errors import ConfigError
from moslm.evals.gate import Gate, held_against, read_gate, shipped_gates
from moslm.evals.outcomes import Outcome


def outcomes(right, of, suite="s", system="moslm", **fields):
    return [
        Outcome.model_validate(
            {
                "suite": suite,
                "case": str(i),
                "group": str(i),
                "system": system,
                "ending": "right" if i < right else "wrong",
                "score": float(i < right),
                "way": "local",
                **fields,
            }
        )
        for i in range(of)
    ]


def missed(found, **target):
    gate = Gate.model_validate({"name": "g", "targets": [{"metric": "resolution", **target}]})
    return held_against(gate, found)[0].missed


def test_a_target_is_reached_or_missed_by_the_figure():
    assert missed(outcomes(80, 100), at_least=0.8) == ""
    assert missed(outcomes(79, 100), at_least=0.8) == "too low"
    assert missed(outcomes(80, 100), at_most=0.7) == "too high"
    assert missed(outcomes(20, 100), at_least=0.15, at_most=0.25) == ""


def test_a_bound_must_hold_where_the_target_asks_for_proof():
    assert missed(outcomes(85, 100), at_least=0.8, by="low") == "too low"
    assert missed(outcomes(850, 1000), at_least=0.8, by="low") == ""
    assert missed(outcomes(15, 100), at_most=0.2, by="high") == "too high"


def test_what_could_not_be_measured_is_missed():
    assert missed([], at_least=0.1) == "could not be measured: the system moslm was not run"
    assert missed(outcomes(1, 1), suite="other", at_least=0.1) == "could not be measured: the suite other was not run"
    assert missed(outcomes(1, 1), system="large", at_least=0.1).endswith("the system large was not run")
    assert "nobody has rated" in missed(outcomes(5, 5), metric="satisfaction", at_least=0.9)
    assert missed(outcomes(5, 5), at_least=0.5, least_n=6) == "measured on 5, and 6 are the least"
    unpriced = outcomes(5, 5, usd=None)
    assert "the price of 5 of 5 is missing" in missed(unpriced, metric="cost_per_success", at_most=1)
    alone = outcomes(1, 1, usd=0.1)
    assert "has no high bound" in missed(alone, metric="cost_per_success", at_most=1, by="high")


def test_a_target_may_be_of_one_suite_and_against_a_baseline():
    found = outcomes(9, 10, suite="a") + outcomes(1, 10, suite="b")
    assert missed(found, suite="a", at_least=0.9) == ""
    assert missed(found, suite="b", at_least=0.9) == "too low"
    up = outcomes(8, 10) + outcomes(2, 2, way="escalated", suite="c")
    assert missed(up, metric="escalation_reduction", baseline=0.5, at_least=0.6) == ""
    assert missed(up, metric="escalation_reduction", baseline=0.25, at_least=0.6) == "too low"


def test_the_phases_of_the_reference_design_ship():
    assert shipped_gates() == ["hardening", "multi_domain", "pilot"]
    targets = {name: {t.metric: t for t in read_gate(name).targets} for name in shipped_gates()}
    assert (targets["pilot"]["resolution"].at_least, targets["pilot"]["cost_reduction"].at_least) == (0.8, 0.5)
    assert targets["multi_domain"]["satisfaction"].at_least == 0.9
    share = targets["multi_domain"]["escalation_share"]
    assert (share.at_least, share.at_most) == (0.15, 0.25)
    assert targets["hardening"]["availability"].at_least == 0.999
    assert targets["hardening"]["recorded"].at_least == 1.0
    levels = [
        targets["hardening"][name].at_most for name in ("classification_p95", "domain_answer_p90", "escalation_p85")
    ]
    assert levels == [50, 300, 3000]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name =", r"gate\.toml: not TOML"),
        ('name = "g"\ntargets = []', r"gate\.toml: targets"),
        ('name = "g"\n[[targets]]\nmetric = "resolution"', "needs at_least or at_most"),
        (
            'name = "g"\n[[targets]]\nmetric = "resolutoin"\nat_least = 1',
            r"targets\.0\.metric.*did you mean resolution",
        ),
        ('name = "g"\n[[targets]]\nmetric = "resolution"\nat_leest = 1', "did you mean at_least"),
        ('name = "g"\n[[targets]]\nmetric = "resolution"\nat_least = 1\nby = "middle"', "by = 'middle'"),
        ('name = "g"\n[[targets]]\nmetric = "resolution"\nat_least = 1\nbaseline = 0.5', "against no baseline"),
    ],
)
def test_a_gate_that_cannot_stand_is_named(tmp_path, text, told):
    (tmp_path / "gate.toml").write_text(text)
    with pytest.raises(ConfigError, match=told):
        read_gate(str(tmp_path / "gate.toml"))


def test_a_gate_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(ConfigError, match="did you mean pilot"):
        read_gate("pilott")
