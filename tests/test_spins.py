import numpy as np
import pytest

from rbmflow.spins import all_states, check_spins


def test_all_states_are_the_binary_numbers():
    states = all_states(10)
    assert states.dtype == np.int8
    assert states.shape == (1024, 10)
    assert (((states + 1) // 2) @ (1 << np.arange(10)) == np.arange(1024)).all()


def test_lists_floats_strided_and_read_only_arrays_pass():
    spins = np.ones((4, 6), dtype=np.int64)
    spins[:, ::2] = -1
    frozen = spins[:, ::2]
    frozen.setflags(write=False)
    assert check_spins("v", frozen, 3).flags.c_contiguous
    assert check_spins("v", [[1.0, -1.0]]).dtype == np.int8


@pytest.mark.parametrize(
    ("spins", "error", "message"),
    [
        ([[0, 1, 1]], ValueError, "convert 0/1 units"),
        ([[1, 2, -1]], ValueError, "v holds 2"),
        ([[1, np.nan]], ValueError, "v holds nan"),
        ([[1], [1, -1]], ValueError, "different lengths"),
        ([["up"]], TypeError, "dtype"),
        (1, ValueError, "sites on its last axis"),
        ([[True]], TypeError, "dtype bool"),
    ],
)
def test_other_values_are_refused(spins, error, message):
    with pytest.raises(error, match=message):
        check_spins("v", spins)


@pytest.mark.parametrize("n_sites", [0, 25])
def test_too_many_states_are_refused(n_sites):
    with pytest.raises(ValueError, match="n_sites="):
        all_states(n_sites)
