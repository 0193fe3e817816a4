"""Walks over every public callable: what holds for all of them."""

import warnings

import pytest

from tests.public_calls import MEANS, RECORDS, SPINS, calls, missing, public_names

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
