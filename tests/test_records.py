"""Every result that the public calls make: a short text, a page, equality, a file, a table."""

import dataclasses
import functools
import json
import warnings
from fractions import Fraction
from importlib.util import find_spec
from xml.etree import ElementTree as ET

import mpmath
import numpy as np
import pytest

from rbmflow import RBM, Estimate, Ring, StateLaw, Torus, flow
from rbmflow.networks import Gradient, Hopfield, Moments
from rbmflow.records import Record, Tabular
from rbmflow.records.storage import HEADER
from rbmflow.sampling import Run, State, TrainingSet, boltzmann_chains, run, tempered
from rbmflow.training import Grey, Incomplete, Trajectory
from rbmflow.weight import Enclosure, TemperatureDensity
from tests.public_calls import RECORDS, calls

LONGEST = 400
NO_RESULT = {"training.Averages", "training.Update", "sampling.StoredRun"}
"""What negative phases return and are handed, and what is in a file already."""
PROVEN = {"weight.Enclosure", "weight.MonotoneCertificate"}
"""Made by the extra ``certify``."""


@functools.cache
def records():
    """One result or model of each class, by name; they are made once."""
    found = {}
    for call in calls().values():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _collect(call(), found)
        _collect(getattr(call.function, "__self__", None), found)
    return found


def _collect(value, found):
    if isinstance(value, Record):
        found.setdefault(f"{type(value).__module__}.{type(value).__name__}", value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, one.name, None) for one in dataclasses.fields(value)]
    for part in value if isinstance(value, (list, tuple)) else ():
        _collect(part, found)


def test_every_result_is_a_record():
    made = {name.rsplit(".", 1)[-1] for name in records()}
    absent = NO_RESULT if find_spec("flint") else NO_RESULT | PROVEN
    assert {name.rsplit(".", 1)[-1] for name in RECORDS - absent} <= made


def test_texts_are_short_and_pages_are_small():
    for name, record in records().items():
        text, page = repr(record), record._repr_html_()
        assert text.startswith(type(record).__name__), name
        assert len(text) < LONGEST, name
        assert max(map(len, text.splitlines())) < LONGEST / 2, name
        assert len(page) < 8000, name
        captions = [caption.text for caption in ET.fromstring(page).iter("caption")]
        assert type(record).__name__ in captions, name


def test_files_hold_what_was_saved(tmp_path):
    for name, record in records().items():
        if isinstance(record, TrainingSet):
            pytest.importorskip("h5netcdf")
        if isinstance(record, Trajectory):
            record.epochs[:], record.machines[:] = [1], [RBM.uniform(2, 1, 0.1)]
        path, again = tmp_path / name, tmp_path / "again"
        record.save(path)
        read = type(record).load(path)
        assert record.equals(record), name
        assert record.equals(read), name
        assert read.equals(record), name
        assert repr(read) == repr(record), name
        assert not record.equals(name), name
        assert isinstance(record == read, bool), name
        read.save(again)
        assert again.read_bytes() == path.read_bytes(), name


def test_tables_have_their_columns():
    pytest.importorskip("pandas")
    for name, record in records().items():
        if not isinstance(record, Tabular):
            continue
        frame, columns = record.to_dataframe(), record._columns()
        assert list(frame.columns) == list(columns), name
        assert len(frame) == len(next(iter(columns.values()))) > 0, name
        for column, values in columns.items():
            assert all(a == b or a != a for a, b in zip(frame[column], values, strict=True)), (name, column)


@dataclasses.dataclass(frozen=True, eq=False)
class Everything(Record):
    value: object
    header: object = dataclasses.field(default_factory=lambda: np.arange(2))
    note: str = dataclasses.field(default="", compare=False)


VALUES = [
    None,
    True,
    0.1 + 0.2,
    -0.0,
    float("nan"),
    float("-inf"),
    2**62,
    -(10**5000),
    "Σ",
    Fraction(10**400, 3),
    np.float32(0.1),
    np.int64(3),
    (1, [2.0, (3,)], {}),
    (10**5000,),
    {np.int64(1): np.arange(3), np.float64(0.5): np.float64(0.25)},
    {"a": np.arange(3), ("b", 1): None, 4: "c"},
    np.array([[1.5, np.nan]]),
    np.zeros((0, 3), dtype=np.int8),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.array([True, False]),
    np.array(mpmath.mpf(1) / 3),
    np.array([[mpmath.mpf("0.1"), mpmath.mpf("-inf")], [mpmath.nan, mpmath.mpf(0)]], dtype=object),
    mpmath.mpf(-1) / 3,
    mpmath.inf,
    Ring(4),
    Estimate(0.5, 0.1, 0.5, 9.0, float("nan")),
    (RBM.uniform(2, 1, 0.5), StateLaw([[1, 1], [-1, -1]], [0.5, 0.5])),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_of_every_kind_are_kept(value, tmp_path):
    Everything(value).save(tmp_path / "it")
    read = Everything.load(tmp_path / "it")
    assert read.equals(Everything(value))
    assert type(read.value) is type(value)
    assert len(repr(read)) < LONGEST
    ET.fromstring(read._repr_html_())


def test_digits_beyond_float64_are_kept(tmp_path):
    with mpmath.workdps(200):
        third = mpmath.mpf(1) / 3
    Everything(third).save(tmp_path / "it")
    assert Everything.load(tmp_path / "it").value._mpf_ == third._mpf_


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (np.zeros(2), np.zeros(2, dtype=np.float32)),
        (np.zeros(2), np.zeros((2, 1))),
        (np.array([0.0, np.nan]), np.array([np.nan, 0.0])),
        ((1, 2), (1, 2, 3)),
        ({"a": 1}, {"b": 1}),
        (Ring(4), Ring(5)),
        (RBM.uniform(2, 1, 0.5), RBM.uniform(2, 1, 0.25)),
        (mpmath.mpf(1), mpmath.mpf(2)),
        (np.array([mpmath.mpf(1)], dtype=object), np.array([mpmath.mpf(2)], dtype=object)),
    ],
)
def test_what_differs_is_not_equal(a, b):
    assert not Everything(a).equals(Everything(b))
    assert not Everything((0, {"x": a})).equals(Everything((0, {"x": b})))


def test_provenance_does_not_count():
    assert Everything(1, note="yesterday").equals(Everything(1, note="today"))


@pytest.mark.parametrize("value", [len, {1, 2}, np.array([1j]), np.array(["a"]), object()])
def test_what_no_file_can_hold_is_refused_before_one_is_begun(value, tmp_path):
    with pytest.raises(TypeError, match=r"^value.*a file keeps"):
        Everything(value).save(tmp_path / "it")
    assert not list(tmp_path.iterdir())


def test_a_density_is_not_kept(tmp_path):
    found = flow.flow_after_training(TemperatureDensity(lambda T: 1.0 + 0 * T, 0.5, 1.5), 8, 4)
    with pytest.raises(TypeError, match=r"^temperatures\.density holds <function"):
        found.save(tmp_path / "it")


def test_another_class_is_refused(tmp_path):
    result = run(Ring(4), 0.5, n_sweeps=4, rng=1)
    result.save(tmp_path / "run.npz")
    with pytest.raises(ValueError, match=r"run\.npz: not a State of rbmflow.*it holds a sampling\.Run"):
        State.load(tmp_path / "run.npz")
    with pytest.raises(ValueError, match="not a RBM of rbmflow"):
        RBM.load(tmp_path / "run.npz")
    RBM.uniform(2, 1, 0.5).save(tmp_path / "machine.npz")
    with pytest.raises(ValueError, match=r"not a Run of rbmflow.*its format is 'rbmflow model 1'"):
        Run.load(tmp_path / "machine.npz")
    (tmp_path / "text").write_text("K,W\n")
    with pytest.raises(ValueError, match="not a Run of rbmflow"):
        Run.load(tmp_path / "text")
    with pytest.raises(FileNotFoundError):
        Run.load(tmp_path / "nothing")


def _rewritten(path, change):
    """The file with another header, whose digest is right."""
    with np.load(path) as members:
        arrays = dict(members)
    header = json.loads(arrays.pop(HEADER).tobytes())
    del header["digest"]
    change(header, arrays)
    np.savez(path, **{HEADER: np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)}, **arrays)
    return path.with_suffix(".npz") if path.suffix != ".npz" else path


CRAFTED = {
    "an array that is altered": lambda _, arrays: arrays["energy"].fill(0),
    "an array that is absent": lambda _, arrays: arrays.pop("energy"),
    "a word without meaning": lambda header, _: header["content"].update(rule={"import": "os"}),
    "an unknown class": lambda header, _: header["content"].update(
        lattice={"object": "os.Popen", "content": {}}
    ),
    "a class with other fields": lambda header, _: header["content"].update(
        lattice={"object": "ising.Ring", "content": {"sides": 4}}
    ),
    "another field": lambda header, _: header["content"].update(colour=1),
    "no field": lambda header, _: header["content"].pop("rule"),
    "content that is a list": lambda header, _: header.update(content=[]),
}


@pytest.mark.parametrize("what", CRAFTED)
def test_crafted_files_are_refused(what, tmp_path):
    path = tmp_path / "run.npz"
    run(Ring(4), 0.5, n_sweeps=4, rng=1).save(path)
    with pytest.raises(ValueError, match=r"run\.npz: not a Run of rbmflow, or damaged"):
        Run.load(_rewritten(path, CRAFTED[what]))


@pytest.mark.parametrize("n_bytes", [0, 1, 100, 1000, -1])
def test_damaged_files_are_refused(n_bytes, tmp_path):
    path = tmp_path / "run.npz"
    run(Ring(4), 0.5, n_sweeps=4, rng=1).save(path)
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match="not a Run of rbmflow"):
        Run.load(path)


def test_a_run_goes_on_from_its_file(tmp_path):
    first = run(Torus(4, 4), [0.3, 0.5], n_sweeps=5, rng=1)
    first.save(tmp_path / "run.npz")
    read = Run.load(tmp_path / "run.npz")
    on = [run(Torus(4, 4), [0.3, 0.5], n_sweeps=5, initial=one) for one in (first, read)]
    assert on[0].equals(on[1])


def test_tempered_chains_go_on_from_their_file(tmp_path):
    machine = RBM(np.linspace(-1, 1, 12).reshape(4, 3))
    first = tempered(machine, n_chains=5, n_sweeps=7, ladder=4, rng=1)
    first.save(tmp_path / "chains.npz")
    read = type(first).load(tmp_path / "chains.npz")
    on = [tempered(machine, n_sweeps=6, ladder=4, initial=one) for one in (first, read)]
    assert on[0].equals(on[1])
    assert not on[0].equals(first)


def test_states_that_no_run_leaves_are_refused():
    first = run(Ring(8), [0.3, 0.5], n_sweeps=2, rng=1)
    wrong = {
        "spins": [first.state.spins[:, :4], first.state.spins.astype(float), 2 * first.state.spins],
        "generators": [first.state.generators[:1], first.state.generators.astype(np.int64)],
    }
    for name, values in wrong.items():
        for value in values:
            state = dataclasses.replace(first.state, **{name: value})
            with pytest.raises(ValueError, match=f"initial: {name}"):
                run(Ring(8), [0.3, 0.5], n_sweeps=2, initial=dataclasses.replace(first, state=state))


def test_boltzmann_chains_that_no_run_leaves_are_refused():
    network = Hopfield.hebb([[1, 1, -1]])
    first = boltzmann_chains(network, n_chains=3, n_sweeps=2, rng=1)
    for change in (
        {"spins": first.spins.astype(float)},
        {"spins": 2 * first.spins},
        {"generators": np.vstack([first.generators] * 2)},
        {"generators": first.generators[:, :4]},
    ):
        (name,) = change
        with pytest.raises(ValueError, match=f"initial: .*{name}"):
            boltzmann_chains(network, n_sweeps=2, initial=dataclasses.replace(first, **change))


def test_missing_spins_stay_missing(tmp_path):
    data = Incomplete([[1, np.nan], [-1, 1]])
    data.save(tmp_path / "it")
    assert Incomplete.load(tmp_path / "it").missing.tolist() == [[False, True], [False, False]]
    assert not data.equals(Incomplete([[1, 1], [-1, 1]]))


def test_large_results_have_short_texts():
    zeros = np.zeros((1000, 1000))
    for record in (
        Moments(zeros[0], zeros[0], zeros, 0.0),
        Gradient(zeros[0], 0.5),
        Grey(zeros),
        Enclosure("0." + "1" * 500, "0." + "2" * 500, None),
        Everything([zeros] * 1000),
        Everything({f"quantity {i}": [0.1] * 1000 for i in range(1000)}),
        Everything([[list(range(1000))] * 1000] * 5),
        Everything("x" * 10**6),
        Everything(np.array([mpmath.mpf(1)] * 5, dtype=object)),
    ):
        assert len(repr(record)) < LONGEST
        assert len(record._repr_html_()) < 8000
    assert repr(Gradient(zeros[0], 0.5)) == "Gradient(weights=<float64 (1000,): 0, 0, ..., 0>, bias=0.5)"
