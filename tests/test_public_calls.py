"""Walks over every public callable: what holds for all of them."""

import importlib.util
import subprocess
import sys
import warnings

import numpy as np
import pytest

from rbmflow import RBM, Graph, Ring, StateLaw, Torus
from rbmflow.cli import main
from rbmflow.sampling import run
from tests.public_calls import MEANS, RECORDS, SPINS, V, calls, missing, public_names

CALLS = calls()


def test_every_public_name_is_in_the_registry():
    assert {*public_names()} - {*CALLS} - {*RECORDS} - {"Estimate"} == {
        name for name in public_names() if missing(name)
    }


@pytest.mark.parametrize("name", CALLS)
def test_the_valid_calls_are_valid(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        CALLS[name]()


def test_the_registry_knows_its_arguments():
    for name, call in CALLS.items():
        assert {*call.arguments} <= {*call.parameters}, name
    for kind in (SPINS, MEANS):
        for name, parameters in kind.items():
            assert name not in CALLS or {*parameters} <= {*CALLS[name].parameters}, name


def _bad_spins(good):
    """0/1 units, a half and a two in the second row, and nothing."""
    half, two = good.astype(float), good.astype(np.int8)
    half[1, ..., 1], two[1, ..., 1] = 0.5, 2
    return {"0/1": (good + 1) // 2, "0.5": half, "2": two, "empty": []}


@pytest.mark.parametrize("kind", ["0/1", "0.5", "2", "empty"])
@pytest.mark.parametrize("name", SPINS | MEANS)
def test_configurations_are_of_plus_and_minus_one(name, kind):
    if name not in CALLS:
        pytest.skip("an extra is absent")
    call = CALLS[name]
    for parameter in (SPINS | MEANS)[name]:
        good = np.asarray(call.arguments.get(parameter, V))
        good = V if good.dtype == object else good  # data may be a law
        means = call.takes_means(parameter)
        if means and (kind == "0.5" or (kind == "0/1" and "thermometer" not in name)):
            continue  # means between -1 and 1, and signs that may be 0, are documented
        with pytest.raises(ValueError, match=parameter) as caught:
            call(**{parameter: _bad_spins(good)[kind]})
        if kind != "empty":
            wrong = _bad_spins(good)[kind]
            row, *_, column = np.argwhere(
                (np.abs(wrong) != 1) if not means or kind == "0/1" else np.abs(wrong) > 1
            )[0]
            text = str(caught.value)
            assert f"column {column}" in text
            assert f"row {row}" in text or f"row ({row}, " in text
            assert ("2 * x - 1" in text) == (kind == "0/1")


class Labelled:
    """As a pandas Series: labelled, its truth value ambiguous and its comparison elementwise."""

    __hash__ = None

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)

    def __len__(self):
        return len(self.values)

    def __bool__(self):
        raise ValueError("The truth value of a Series is ambiguous.")

    def __eq__(self, other):
        return Labelled(self.values == other)

    def __repr__(self):
        return "\n".join(map(str, self.values))


LARGE = {
    "graph": Graph.from_bonds(500, [(i, (i + 1) % 500) for i in range(500)]),
    "machine": RBM(np.full((60, 50), 0.1)),
    "array": np.full(10**5, np.nan),
    "list": [np.nan] * 10**4,
    "string": "x" * 10**5,
    "bytes": b"x" * 10**5,
    "labelled": Labelled(["a", "b"] * 500),
    "options": np.array(["a", "b"]),
    "masked": np.ma.array([1.0, 2.0], mask=[True, False]),
    "nested": {"a": [[list(range(1000))] * 1000]},
    "number": 10**5000,
    "law": StateLaw(np.eye(100) * 2 - 1, np.full(100, 0.01)),
}


DOCUMENTED = (TypeError, ValueError, ArithmeticError, OSError, ImportError, MemoryError)


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=[pytest.mark.slow] * (what in ("list", "nested"))) for what in LARGE]
)
def test_errors_are_short(what):
    for name, call in CALLS.items():
        for parameter in call.parameters:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    call(**{parameter: LARGE[what]})
            except OSError:
                pass  # the system quotes the name of the file
            except DOCUMENTED as error:
                text = str(error)
                if not name.startswith("estimator"):  # scikit-learn quotes what it is given
                    assert len(text) < 300, (name, parameter, len(text), text[:400])
                assert "ambiguous" not in text, (name, parameter, text)


@pytest.mark.parametrize("name", CALLS)
def test_masks_are_not_lost(name):
    """What is masked out is not taken as a value, in numbers, rows of numbers and configurations."""
    call = CALLS[name]
    for parameter, value in call.arguments.items():
        good = value if isinstance(value, (int, float, list, np.ndarray)) and parameter != "rng" else None
        array = np.asarray(good)
        if array.dtype.kind in "iuf":
            with pytest.raises((TypeError, ValueError)):
                call(**{parameter: np.ma.array(array, mask=np.ones(array.shape, dtype=bool))})


WALK_OF_INTEGERS = """
import resource, signal, warnings
from tests.public_calls import calls

def late(*_):
    raise KeyboardInterrupt

warnings.simplefilter("ignore")
table = calls()
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
signal.signal(signal.SIGPROF, late)
for name, call in table.items():
    for parameter in call.parameters:
        for value in (2**31, 2**63, 10**30, 10**5000) if call.takes_integer(parameter) else ():
            signal.setitimer(signal.ITIMER_PROF, 10)
            try:
                call(**{parameter: value})
            except (TypeError, ValueError):
                pass
            except MemoryError as error:
                if "needed" not in str(error):
                    print(name, parameter, value.bit_length(), repr(error)[:300])
            except BaseException as error:
                print(name, parameter, value.bit_length(), repr(error)[:300])
            signal.setitimer(signal.ITIMER_PROF, 0)
"""


def test_large_integers_are_refused_before_work():
    """In a process with 3 GiB: an error of the documented classes within 10 s, and no crash."""
    pytest.importorskip("resource", reason="limits of a process are POSIX")
    done = subprocess.run(
        [sys.executable, "-c", WALK_OF_INTEGERS], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", ["1000000", "9223372036854775808", "9" * 5000, "0", "-1", "two"])
def test_the_number_of_threads_has_bounds(monkeypatch, text):
    monkeypatch.setenv("RBMFLOW_NUM_THREADS", text)
    with pytest.raises(ValueError, match=r"RBMFLOW_NUM_THREADS=.*: an integer from 1 to 1024"):
        Ring(8).enumerate()


def test_memory_is_looked_at_first():
    with pytest.raises(MemoryError, match=r"GiB of memory are needed.*keep_spins=False or a larger thin"):
        run(Torus(64, 64), 0.4, n_chains=1000, n_sweeps=10**8, rng=1)


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if "progress" in call.parameters])
def test_progress_is_a_bar_a_function_or_nothing(name, capsys, monkeypatch):
    call, seen = CALLS[name], []
    for nothing in (None, False):
        call(progress=nothing)
    call(progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    with pytest.raises(TypeError, match="progress=3: a function"):
        call(progress=3)
    assert capsys.readouterr().err == ""
    if importlib.util.find_spec("tqdm"):
        call(progress=True)
        assert "%|" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r"rbmflow\[progress\]"):
        call(progress=True)


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if "rng" in call.parameters])
def test_the_legacy_random_state_is_refused_with_what_to_do(name):
    unless = {"training.fit_neuron": {"method": "stochastic"}, "flow.fixed_points": {"starts": None}}
    with pytest.raises(TypeError, match=r"RandomState is not taken; give numpy.random.default_rng\(seed\)"):
        CALLS[name](rng=np.random.RandomState(1), **unless.get(name, {}))


@pytest.mark.parametrize(
    "command", [["ising", "ring", "8", "--range", "1", "2"], ["experiment", "weight_map"]]
)
def test_the_points_of_a_command_have_bounds(command, capsys, tmp_path):
    options = [
        "--points",
        "1000000000",
        *(["--out", str(tmp_path / "map")] if command[0] == "experiment" else []),
    ]
    assert main([*command, *options]) == 2
    assert "at most" in capsys.readouterr().err
