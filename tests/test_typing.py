"""Types say what is: names that are checked at run time, results of overloads, and what checkers find."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_overloads

import mpmath
import numpy as np
import pytest

from tests.public_calls import calls
from tests.typing import use

NAMES = """
ising.inference.infer Method METHODS
sampling.reducibility Rule RULES
sampling.reducibility Order ORDERS
sampling.boltzmann Order ORDERS
sampling.relaxation Order ORDERS
sampling.relaxation Dynamics DYNAMICS
sampling.starts Start STARTS
sampling.block_gibbs Precision PRECISIONS
training.plan Precision PRECISIONS
training.parameters Tie TIES
training.neuron Method METHODS
training.recipe OptimizerName OPTIMIZERS
training.history Directed DIRECTION
training.history Quantity QUANTITIES
networks.read_machine Units UNITS
likelihood.partition Method METHODS
thermometer.network ReadOut READ_OUTS
"""


@pytest.mark.parametrize("names", NAMES.strip().splitlines())
def test_literals_are_the_names_that_are_taken(names):
    room, alias, taken = names.split()
    module = importlib.import_module(f"rbmflow.{room}")
    literal = get_args(getattr(module, alias))
    assert set(literal) == set(getattr(module, taken))
    assert len(literal) == len(getattr(module, taken))


def overloads():
    for name, call in calls().items():
        for form in get_overloads(getattr(call.function, "__func__", call.function)):
            yield pytest.param(call, form, id=f"{name}-{'-'.join(form.__annotations__.values())}")


def of_kind(kind, value):
    """Return the value of a valid call as an overload would have it."""
    many = [value, value] if np.ndim(value) == 0 else list(value)
    return {
        "Integer": many[0],
        "Integer | ArrayLike": many[0],
        "Number": many[0],
        "Numbers": many[0],
        "ArrayLike": many,
        "ExactNumber": str(many[0]),
        "ExactNumbers": str(many[0]),
        "ExactArrayLike": [str(one) for one in many],
    }[kind]


RESULTS = {
    "bool": lambda found: isinstance(found, bool),
    "npt.NDArray[np.bool_]": lambda found: isinstance(found, np.ndarray) and found.dtype == np.bool_,
    "float": lambda found: isinstance(found, float),
    "FloatArray": lambda found: isinstance(found, np.ndarray) and found.dtype == np.float64,
    "MPF": lambda found: isinstance(found, mpmath.mpf),
    "ExactArray": lambda found: all(isinstance(one, mpmath.mpf) for one in found.flat),
}


ONE_TYPE = {  # with digits and without: a record, or numbers in the shape of a law
    "rg.migdal_kadanoff_fixed_point",
    "weight.limit_table",
    "weight.low_temperature_law",
    "weight.mixture_law",
    "weight.trained_weight_from_law",
}


def test_where_digits_may_be_asked_for_overloads_say_what_they_change():
    with_digits = {name for name, call in calls().items() if "dps" in call.parameters}
    told = {param.id.partition("-")[0] for param in overloads()}
    assert with_digits - told == ONE_TYPE


@pytest.mark.parametrize(("call", "form"), [*overloads()])
def test_overloads_say_what_comes_out(call, form):
    kinds = dict(form.__annotations__)
    result, dps = kinds.pop("return"), kinds.pop("dps", None)
    given = {
        name: of_kind(kind, call.arguments[name])
        for name, kind in kinds.items()
        if kind.endswith(("Integer", "Number", "Numbers", "ArrayLike")) and name in call.arguments
    }
    found = call(**given, **({} if dps is None else {"dps": 5 if dps == "int" else None}))
    assert RESULTS[result](found) if result in RESULTS else type(found).__name__ == result.partition("[")[0]


def test_the_program_in_types_runs():
    fit, total = use.learned(1)
    assert fit.model.n_hidden == 4
    assert np.isfinite(total)
    assert use.doubled(mpmath.mpf(0), None) > 0


HERE = Path(use.__file__).parent


def by_mypy(file):
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", file]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr + done.stdout
    return {int(line) for line in re.findall(r"^\S*:(\d+): error", done.stdout, re.MULTILINE)}


def by_pyright(file):
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", file]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr + done.stdout
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {one["range"]["start"]["line"] + 1 for one in found if one["severity"] == "error"}


@pytest.mark.slow
@pytest.mark.parametrize("checker", [by_mypy, by_pyright])
def test_type_checkers_find_what_is_wrong_and_nothing_else(checker):
    pytest.importorskip(checker.__name__.removeprefix("by_"))
    assert checker("use.py") == set()
    text = (HERE / "misuse.py").read_text(encoding="utf-8")
    wrong = {number for number, line in enumerate(text.splitlines(), 1) if "# wrong" in line}
    assert len(wrong) == 10
    assert checker("misuse.py") == wrong
