"""Any input to any public callable, in a process of its own: ``python -m tests.any_input EXAMPLES [SEED]``.

Values of any type, shape, dtype and layout, and valid arguments of other callables, take the place
of one or two arguments of a valid call. The process ends with 0 unless an exception comes that is
not documented, a call takes longer than 10 s of processor time (or waits for two minutes), or it
crashes; the call is then the last line of the output.
"""

import faulthandler
import os
import signal
import sys
import tempfile
import warnings

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stnp

from rbmflow import PrecisionError
from tests.public_calls import calls

SECONDS, WAITING = 10, 120
CALLS = calls()
POOL = [value for call in CALLS.values() for value in call.arguments.values()]
now = [""]

integers = st.integers(-2, 40) | st.sampled_from(
    [2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64, 10**30, -(2**63)]
)
scalars = st.one_of(
    integers,
    st.floats(),
    st.booleans(),
    st.none(),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.complex_numbers(),
    st.fractions().filter(lambda x: x.denominator < 10**30),
    st.decimals(),
    st.sampled_from(
        [
            np.float32("nan"),
            np.longdouble("0.1"),
            np.int8(-128),
            np.uint64(2**64 - 1),
            np.bool_(True),
            np.ma.masked,
        ]
    ),
)
dtypes = st.sampled_from(
    [
        "?",
        "b",
        "B",
        "<i2",
        ">i4",
        "<i8",
        "<u8",
        "<f2",
        ">f4",
        "<f8",
        "<f8",
        "g",
        "<c16",
        "U2",
        "S2",
        "M8[s]",
        "O",
    ]
)
shapes = stnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)


def layouts(array):
    """The same numbers otherwise in memory, half of them, or without leave to write."""
    if array.ndim == 0:
        return st.just(array)
    frozen = array.copy()
    frozen.setflags(write=False)
    spread = np.repeat(array, 2, axis=-1)[..., ::2]
    swapped = array.astype(array.dtype.newbyteorder()) if array.dtype.kind in "iufc" else array
    other = [
        array,
        frozen,
        spread,
        swapped,
        array[::-1],
        array[:0],
        array[..., :0],
        np.asfortranarray(array),
        array.T,
    ]
    return st.sampled_from(other)


def arrays(dtype):
    elements = scalars if dtype == "O" else st.sampled_from([-1, 1]) if dtype in ("b", "<i8") else None
    return stnp.arrays(dtype, shapes, elements=elements).flatmap(layouts)


def altered(value):
    """A valid array in another type and layout, or with one number changed."""
    array = np.array(value)
    if array.dtype.kind not in "iufb" or not array.size:
        return st.just(value)

    def change(dtype, place, number):
        other = array.astype(dtype)
        other.flat[place % other.size] = number
        return other

    numbers = st.sampled_from([np.nan, np.inf, -np.inf, 1e308, 5e-324, 0.5, 0, 2, -1])
    changed = st.builds(change, st.sampled_from(["f8", "f4", "O"]), st.integers(0, 10**6), numbers)
    kinds = st.sampled_from(["f8", ">f8", "f4", "i8", "i1", "g", "O"]).map(array.astype)
    return (changed | kinds | st.just(np.ma.array(array, mask=array == array.flat[0]))).flatmap(layouts)


values = st.one_of(
    scalars,
    dtypes.flatmap(arrays),
    st.lists(scalars, max_size=4) | st.lists(st.lists(st.sampled_from([-1, 1, 0.5]), max_size=4), max_size=4),
    st.dictionaries(st.text(max_size=2), scalars, max_size=2),
    st.sampled_from(POOL),
)


@st.composite
def examples(draw):
    """A call and its changed arguments; no file is named but those of the registry."""
    name = draw(st.sampled_from([name for name, call in CALLS.items() if call.parameters]))
    call = CALLS[name]
    names = draw(st.lists(st.sampled_from(call.parameters), min_size=1, max_size=2, unique=True))
    changes = {}
    for parameter in names:
        valid = call.arguments.get(parameter)
        own = altered(valid) if isinstance(valid, (np.ndarray, list, float)) else st.just(valid)
        if call.takes_integer(parameter):
            own |= integers
        changes[parameter] = draw(values | own)
        if parameter == "path" and isinstance(changes[parameter], (str, bytes, int, np.integer, np.bool_)):
            changes[parameter] = 0.5
    return name, changes


def check(name, changes):
    now[0] = f"{name}(**{changes!r})"
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(WAITING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            CALLS[name](**changes)
    except (TypeError, ValueError, PrecisionError, OSError):
        pass
    except ArithmeticError as error:
        if type(error) is not ArithmeticError:  # "the parameters left the range of numbers"
            raise
    except MemoryError as error:
        if "needed" not in str(error):
            raise
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)


def main(n_examples, number=0):
    """Try so many examples, those of a seed; hypothesis prints the least one that fails."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    faulthandler.enable()

    def late(*_):
        sys.stderr.write(f"more than {SECONDS} s:\n{now[0][:2000]}\n")
        faulthandler.dump_traceback()
        os._exit(2)

    for kind in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(kind, late)
    quick = settings(
        max_examples=n_examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        seed(number)(quick(given(examples())(lambda example: check(*example))))()
        os.chdir("/")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
