import pytest
import tqdm

from moslm.cli.fit_progress import FitProgress
from moslm.models.classifiers.fitting import STEPS


@pytest.fixture
def bars(monkeypatch):
    """The bars that are made, and how far each came."""
    made = []

    class Watched(tqdm.tqdm):
        def __init__(self, *args, **settings):
            super().__init__(*args, **{**settings, "disable": False})
            made.append(self)

    monkeypatch.setattr(tqdm, "tqdm", Watched)
    return made


def test_the_bar_never_runs_over_however_many_texts_there_were(bars):
    with FitProgress(rows=10, held_out=5, parted=2) as bar:
        for _ in range(3 * bars[0].total):
            bar.read()
    assert bars[0].n == bars[0].total


def test_steps_and_texts_both_move_it(bars):
    with FitProgress(rows=10, held_out=5, parted=2) as bar:
        bar.read()
        after_a_text = bars[0].n
        bar.stepped()
        assert after_a_text == 1
        assert bars[0].n > 2
        for _ in range(STEPS):
            bar.stepped()
        assert bars[0].n < bars[0].total


def test_nothing_is_drawn_where_nobody_looks(capsys):
    with FitProgress(rows=10, held_out=5, parted=2) as bar:
        bar.read()
    assert capsys.readouterr().err == ""
