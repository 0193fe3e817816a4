"""Stages of the reproduction without random numbers are computed once for all tests: they take long."""

from functools import cache
from importlib.util import find_spec

import pytest

# modules beside the tests that need an extra: pytest looks for doctests in them
NEED = {"any_input.py": "hypothesis", "experiments/cropped.py": "matplotlib"}
collect_ignore = [path for path, extra in NEED.items() if find_spec(extra) is None]

LONG = ("limits", "thresholds", "mixtures")


@pytest.fixture(scope="session")
def remembered_stages():
    from rbmflow.experiments import reproduce

    def once(stage):
        of_parameters = cache(lambda parameters: stage(parameters, None))
        return lambda parameters, _rng: of_parameters(parameters)

    with pytest.MonkeyPatch.context() as patch:
        for name in LONG:
            patch.setitem(reproduce.STAGES, name, once(reproduce.STAGES[name]))
        yield
