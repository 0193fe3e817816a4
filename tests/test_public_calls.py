"""Walks over every public callable: what holds for all of them."""

import warnings

import numpy as np
import pytest

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
