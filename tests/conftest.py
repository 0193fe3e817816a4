"""Stages of the reproduction are computed once for the same parameters and generator: they take long."""

from dataclasses import replace
from functools import wraps
from importlib.util import find_spec

import pytest

# modules beside the tests that need an extra: pytest looks for doctests in them
NEED = {"any_input.py": "hypothesis", "experiments/cropped.py": "matplotlib"}
collect_ignore = [path for path, extra in NEED.items() if find_spec(extra) is None]

NOT_DRAWN = ("limits", "thresholds", "mixtures")  # they take no random numbers


@pytest.fixture(scope="session")
def remembered_stages():
    from rbmflow.experiments.reproduction import reproduce

    def once(name, stage):
        found = {}

        @wraps(stage)
        def remembered(parameters, rng):
            if name in NOT_DRAWN:
                rng = None
            key = replace(parameters, n_threads=None), repr(rng and rng.bit_generator.state)
            if key not in found:
                found[key] = stage(parameters, rng)
            return found[key]

        return remembered

    with pytest.MonkeyPatch.context() as patch:
        for name, stage in reproduce.STAGES.items():
            patch.setitem(reproduce.STAGES, name, once(name, stage))
        yield
