from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from moslm.models.replicas.balancing import Candidate, choose, cost
from moslm.models.replicas.outliers import outlier
from moslm.models.replicas.prefixes import PrefixMemory, read
from moslm.models.replicas.retries import RetryBudget

CANDIDATES = st.lists(
    st.tuples(st.floats(0, 1e6), st.integers(0, 2000), st.floats(1e-6, 10)), min_size=1, max_size=6
).map(lambda rows: [Candidate(i, *row) for i, row in enumerate(rows)])


@given(CANDIDATES, st.integers(0, 4000), st.floats(0, 500), st.integers(0, 100))
def test_nobody_else_would_answer_sooner(candidates, prompt, answer, turn):
    chosen, why = choose(candidates, prompt, answer, turn)
    assert chosen in candidates
    assert all(cost(chosen, prompt, answer) <= cost(each, prompt, answer) for each in candidates)
    assert why


@given(st.integers(1, 8), st.integers(0, 500))
def test_calls_are_shared_out_evenly_among_equals(servers, prompt):
    candidates = [Candidate(i, 0.0, 0, 1.0) for i in range(servers)]
    chosen = [choose(candidates, prompt, 64, turn)[0].index for turn in range(3 * servers)]
    assert sorted(chosen) == sorted(3 * list(range(servers)))


def test_a_conversation_stays_until_waiting_costs_more_than_reading_it_anew():
    def who(outstanding: float) -> tuple[int, str]:
        chosen, why = choose([Candidate(0, outstanding, 900, 1.0), Candidate(1, 0.0, 0, 1.0)], 1000, 64, 1)
        return chosen.index, why

    assert who(0.0) == (0, "holds 900 tokens of the prompt")
    assert who(899.0)[0] == 0
    assert who(901.0) == (1, "least work before it")


def test_a_slow_server_is_asked_less():
    assert choose([Candidate(0, 0.0, 0, 3.0), Candidate(1, 2000.0, 0, 1.0)], 100, 64, 0)[0].index == 1


@given(
    st.dictionaries(st.integers(0, 5), st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted), min_size=1),
)
def test_the_last_server_is_never_ejected(failures):
    pairs = {key: (low, high) for key, (low, high) in failures.items()}
    assert outlier(pairs, serving=1) is None
    worst = outlier(pairs, serving=len(pairs))
    if worst is not None:
        assert len(pairs) > 1
        assert pairs[worst][0] > 0
        others = [failed / calls for key, (failed, calls) in pairs.items() if key != worst and calls >= 10]
        assert all(pairs[worst][0] / pairs[worst][1] >= each for each in others)


def test_a_server_that_fails_as_its_peers_do_stays():
    assert outlier({0: (6, 20), 1: (5, 20)}, 2) is None
    assert outlier({0: (6, 20), 1: (0, 20)}, 2) == 0


@given(st.floats(0, 1), st.lists(st.booleans(), max_size=300))
def test_retries_are_never_more_than_their_share_and_five(share, wishes):
    budget = RetryBudget(share)
    for wish in wishes:
        budget.called()
        for _ in range(2 if wish else 0):
            budget.grant()
        assert budget.retries <= 5 + share * budget.calls + 1e-9
    assert share > 0 or budget.retries == 0


WORDS = st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=6)


@given(WORDS, WORDS)
def test_what_is_held_of_a_prompt_is_what_it_shares_with_those_before_from_the_beginning(first, second):
    one, other = (read([HumanMessage(text) for text in texts]) for texts in (first, second))
    memory = PrefixMemory()
    memory.keep(one)
    same = 0
    while same < min(len(first), len(second)) and first[same] == second[same]:
        same += 1
    assert memory.held(other) == (other.tokens[same - 1] if same else 0)
    assert memory.held(one) == one.length


def test_the_next_turn_finds_the_last_ones_prompt():
    turns = [SystemMessage("You know the budget."), HumanMessage("What is left?")]
    memory = PrefixMemory()
    memory.keep(read(turns))
    later = read([*turns, AIMessage("Forty."), HumanMessage("And last year?")])
    assert memory.held(later) == read(turns).length


@given(st.lists(st.text(max_size=5), max_size=60))
def test_no_more_marks_are_kept_than_allowed(texts):
    memory = PrefixMemory(most=8)
    for text in texts:
        memory.keep(read([HumanMessage(text), HumanMessage("x")]))
    assert len(memory._marks) <= 8
