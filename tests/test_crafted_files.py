"""Files from strangers: of each format a valid file, each field in turn deleted or made what it cannot hold.

Each is refused by one ValueError of one line that names the file, before any of it is used.
Digests are made to fit: a stranger can compute them too.
"""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest

from rbmflow import RBM, Ring
from rbmflow.generators import FIELDS, generator_from, generator_state
from rbmflow.networks import BoltzmannMachine, Hopfield
from rbmflow.networks.storage import HEADER
from rbmflow.reading import read_npz, seal, unseal
from rbmflow.records.storage import digest
from rbmflow.sampling import block_gibbs
from rbmflow.training import PCD, Adam, EarlyStopping, State, fit

DELETED = object()
WRONG = (
    DELETED,
    None,
    True,
    "text",
    [],
    {},
    -1,
    10**30,
    -(10**30),
    float("nan"),
    0.5,
    [[1]],
    {"a": 1},
    "<script>",
)
"""In the place of any plain value."""


def leaves(value, path=()):
    """Yield the path of every member of an object, and of the first and last entry of every list."""
    yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list) and value:
        for index in sorted({0, len(value) - 1}):
            yield from leaves(value[index], (*path, index))


def changed(value, path, new):
    """Return a copy of an object in which one member is deleted or replaced; None if that changes nothing."""
    value = copy.deepcopy(value)
    if not path:
        return {} if new is DELETED else new
    inner = value
    for name in path[:-1]:
        inner = inner[name]
    if new is DELETED:
        del inner[path[-1]]
    elif repr(inner[path[-1]]) == repr(new):
        return None
    else:
        inner[path[-1]] = new
    return value


def refused(path, call, why):
    with pytest.raises(ValueError, match=r".") as caught:
        call()
    message = str(caught.value)
    assert str(path) in message, (why, message)
    assert "\n" not in message
    assert len(message) < 700 + len(str(path)), (why, message)


def other_arrays(array):
    """Yield what an array of a file cannot be."""
    yield DELETED
    yield array[..., :-1] if array.ndim else array[None]
    yield array[None]
    if array.dtype.kind in "OU":
        yield np.full(array.shape, "<script>")
        yield np.zeros(array.shape)
        return
    yield array.astype(str)
    yield array.astype(complex)
    yield np.zeros((0, *array.shape[1:]), array.dtype)
    flat = array.astype(np.float64)
    for value in (np.nan, np.inf):
        flat.flat[-1:] = value
        yield flat.copy()
    for value in {"f": (np.nan, np.inf), "i": (0, -128, 3)}.get(array.dtype.kind, ()):
        bad = array.copy()
        bad.flat[-1:] = value
        yield bad


def parts(path):
    arrays = read_npz(path.read_bytes())
    return arrays, unseal(arrays.pop(HEADER).tobytes())


def write(path, arrays, header):
    text = seal(header) if isinstance(header, dict) else json.dumps(header)
    members = {HEADER: np.frombuffer(text.encode(), dtype=np.uint8), **arrays}
    with path.open("wb") as stream:
        np.savez(stream, **members)


def each_field(path, read, may):
    """Change every field of an npz in turn; `read` must refuse unless `may(field, new)`."""
    arrays, header = parts(path)
    read()
    for where in leaves(header):
        for new in WRONG:
            other = changed(header, where, new)
            if other is not None and not may(where, new):
                write(path, arrays, other)
                refused(path, read, (where, new))
    for field, array in arrays.items():
        for bad in other_arrays(array):
            if not may((field,), bad):
                more = (
                    arrays | {field: bad}
                    if bad is not DELETED
                    else {k: v for k, v in arrays.items() if k != field}
                )
                write(path, more, header | {"sha256": {name: digest(value) for name, value in more.items()}})
                refused(path, read, (field, bad))


MODELS = [
    RBM([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]),
    Hopfield.hebb([[1, -1, 1]]),
    BoltzmannMachine([[0, 0.5], [0.5, 0]], [0.1, 0.2], 1),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_models_field_by_field(tmp_path, model):
    path = tmp_path / "m.npz"
    model.save(path)
    each_field(
        path,
        lambda: type(model).load(path),
        lambda where, new: where[-1] == "n_visible" and new is None if where else False,
    )


SPINS = Ring(6).sample(0.5, 40, rng=1)
START = RBM(np.random.default_rng(1).normal(0, 0.1, (6, 3)))
HOW = {"negative": PCD(1, 4), "optimizer": Adam(0.01), "stop": EarlyStopping("pseudo_likelihood", 50)}


def resume(state):
    return fit(START, SPINS, n_epochs=1, state=state, **HOW)


@pytest.fixture(scope="module")
def state():
    return fit(START, SPINS, n_epochs=2, rng=1, **HOW).state


def may_stand_in_a_state(where, new):
    """Whether a value is one that another run could have left."""
    if where == ("best",) and new is not DELETED and new.shape == (0,) and new.dtype == np.float32:
        return True  # none yet
    if where in (("offsets",), ("rows",)):  # of earlier versions they are absent, and here they are empty
        kinds = (np.float32, np.float64) if where == ("offsets",) else (np.int8,)
        empty = (0,) if where == ("offsets",) else (0, 0)
        return new is DELETED or (new.dtype in kinds and new.shape == empty)
    if where == ("slots",):
        return new is not DELETED and new.dtype == np.float32 and bool(np.isposinf(new).any())
    if len(where) < 2:
        return False
    is_number = isinstance(new, (int, float)) and not isinstance(new, bool)
    return {
        "source": True,  # below, for each generator
        "stopped": new is True,
        "history": len(where) == 4 and where[2] != "epoch" and is_number,
    }.get(where[1], False)


def test_states_field_by_field(tmp_path, state):
    path = tmp_path / "s.npz"
    state.save(path)

    def read():
        loaded = State.load(path)
        try:
            return resume(loaded)
        except ValueError as error:  # what only the arguments of a call can tell
            raise ValueError(f"{path}: {error}") from None

    each_field(path, read, may_stand_in_a_state)


@pytest.mark.parametrize("kind", FIELDS)
def test_generators_field_by_field(tmp_path, state, kind):
    # the interpreter crashed on an MT19937 with a position of a million
    rng = np.random.Generator(getattr(np.random, kind)(1))
    rng.integers(0, 9, 3, dtype=np.uint32)
    source = generator_state(rng)
    assert (generator_from("source", source).random(999) == rng.random(999)).all()
    path = tmp_path / "s.npz"
    replace(state, source=source).save(path)
    resume(State.load(path))
    arrays, header = parts(path)
    for where in leaves(source):
        for new in (*WRONG, -5, 10**6, 2**32, 2**64, 2**128):
            other = changed(source, where, new)
            below = (
                2**128
                if "inc" in where
                else 2**32
                if ("key" in where and kind == "MT19937") or where == ("uinteger",)
                else 2**64
            )
            below = 2**128 if kind.startswith("PCG") and where == ("state", "state") else below
            small = where[-1:] in (("pos",), ("has_uint32",), ("buffer_pos",), ("inc",))
            if other is None or (type(new) is int and 0 <= new < below and not small):
                continue
            if where == ("bit_generator",) and isinstance(new, str):
                continue  # of another package: below
            write(path, arrays, header | {"values": header["values"] | {"source": other}})
            refused(path, lambda: State.load(path), (where, new))
            if isinstance(other, dict):
                mutable = replace(state, source=copy.deepcopy(source))
                mutable.source.clear()
                mutable.source.update(other)
                with pytest.raises(ValueError, match="state: source"):
                    resume(mutable)


def test_generators_that_would_stay_where_they_are(state):
    zero = np.array(state.generator)
    zero[3::8] = 0
    for words in (zero, np.zeros(32, dtype=np.uint64), zero[:31], zero.astype(np.int64), zero.tolist()):
        with pytest.raises(ValueError, match=r"generator is"):
            replace(state, generator=words)
    state = replace(state, generator=np.array(state.generator))
    state.generator[:] = 0
    with pytest.raises(ValueError, match="state: generator is zero"):
        resume(state)
    still = {"bit_generator": "MT19937", "state": {"key": [2**31 - 1] + [0] * 623, "pos": 3}}
    with pytest.raises(ValueError, match="key is zero"):
        generator_from("x", still)


def test_generators_of_other_packages(tmp_path, state):
    # a state with one can be kept, and its machine be read; it cannot go on
    path = tmp_path / "s.npz"
    for name in ("Mine", "BitGenerator", "RandomState", "__doc__"):
        replace(state, source={"bit_generator": name}).save(path)
        with pytest.raises(ValueError, match=f"state: source: '{name}' is not a bit generator of numpy"):
            resume(State.load(path))


def test_chains_to_go_on_with_are_what_a_run_gives():
    chains = block_gibbs(START, n_chains=3, n_sweeps=1, rng=1)
    block_gibbs(START, n_sweeps=1, initial=chains)
    for changes in (
        {"generators": np.zeros((1, 32), dtype=np.uint64)},
        {"generators": chains.generators[:, :3]},
        {"generators": chains.generators[:0]},
        {"generators": chains.generators.astype(np.float64)},
        {"hidden": chains.hidden[:1]},
        {"hidden": 0 * chains.hidden},
        {"visible": chains.visible.astype(np.int64)},
    ):
        with pytest.raises(ValueError, match="initial: "):
            block_gibbs(START, n_sweeps=1, initial=replace(chains, **changes))
