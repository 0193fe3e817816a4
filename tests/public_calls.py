"""Every public callable of the package with a small valid call, for the walks over all of them.

A name is added to the package's ``__all__`` together with its line here;
`test_public_calls` says so otherwise.
"""

import atexit
import functools
import importlib
import importlib.util
import inspect
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import rbmflow
from rbmflow import Estimate, Graph, Ring, StateLaw, Torus, Triangular, flow, thermometer
from rbmflow.experiments import weight_map
from rbmflow.ising.lattice import lattices
from rbmflow.ising.planar import Planar
from rbmflow.networks import RBM, BoltzmannMachine, Hopfield, Neuron
from rbmflow.records import Record, Tabular
from rbmflow.thermometer.energy_curve import fit_curve
from rbmflow.training import CD, Exact, Grey, Recipe, SampledPhases, Trajectory, Update
from rbmflow.weight import TemperatureRange, TemperatureSet

ROOMS = (
    "ising",
    "networks",
    "sampling",
    "rg",
    "likelihood",
    "training",
    "weight",
    "weight.asymptotics",
    "flow",
    "sampling.finite_size",
)
ROOMS += ("thermometer", "plot")
EXTRAS = {
    "plot.": "matplotlib",
    "ising.Graph.from_networkx": "networkx",
    "ising.Graph.to_networkx": "networkx",
    "ising.DegeneracyTable.to_dataframe": "pandas",
    "sampling.BoltzmannChains.to_xarray": "xarray",
    "sampling.Exchange.to_xarray": "xarray",
    "sampling.GibbsChains.to_xarray": "xarray",
    "sampling.Run.to_xarray": "xarray",
    "sampling.TemperedChains.to_xarray": "xarray",
    "sampling.TrainingSet.to_xarray": "xarray",
    "sampling.TrainingSet.save": "h5netcdf",
    "sampling.TrainingSet.load": "h5netcdf",
    "sampling.StoredRun.": "h5netcdf",
    "sampling.open_run": "h5netcdf",
    "sampling.write_exchange": "h5netcdf",
    "sampling.write_run": "h5netcdf",
    "sampling.write_training_set": "zarr",
    "weight.certified_weight": "flint",
    "weight.certified_monotone": "flint",
    "weight.certified_unique": "flint",
    "thermometer.network.fit": "sklearn",
    "estimator.IsingRBM": "sklearn",
}
"""What a call needs beyond numpy, scipy and mpmath."""

FOLDER = Path(tempfile.mkdtemp(prefix="public-calls-"))
atexit.register(shutil.rmtree, FOLDER)


@dataclass(frozen=True)
class Call:
    """A callable and the arguments of a valid call."""

    name: str
    function: Callable[..., Any]
    arguments: dict[str, Any] = field(repr=False)

    def __call__(self, **changes):
        return self.function(**{**self.arguments, **changes})

    @property
    def parameters(self):
        """All names of arguments, those left at their defaults included."""
        return [
            name for name in inspect.signature(self.function).parameters if name not in ("args", "kwargs")
        ]

    def annotation(self, parameter):
        return str(inspect.signature(self.function).parameters[parameter].annotation)

    def takes_integer(self, parameter):
        return self.annotation(parameter).strip("'") in ("int", "int | None", "ArrayOrInt")

    def takes_spins(self, parameter):
        """Whether the argument is configurations of ±1 and nothing else."""
        return parameter in SPINS.get(self.name, ())

    def takes_means(self, parameter):
        """Whether the argument is configurations, or means between −1 and 1."""
        return parameter in MEANS.get(self.name, ())


def missing(name):
    """Return whether the extra that a call needs is absent."""
    return any(
        name.startswith(call) and not importlib.util.find_spec(needs) for call, needs in EXTRAS.items()
    )


@functools.cache
def calls():
    """Return every public callable that can run here."""
    return {name: call for name, call in _table().items() if not missing(name)}


def public_names():
    """Return the dotted names of functions, classes and methods that the package promises."""
    names, seen = [], set()
    for room in (*ROOMS, ""):
        module = importlib.import_module(f"rbmflow.{room}".rstrip("."))
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.ismodule(value) or not callable(value) or id(value) in seen:
                continue
            seen.add(id(value))
            dotted = f"{room}.{name}".lstrip(".")
            if not inspect.isclass(value):
                names.append(dotted)
            elif not issubclass(value, Exception) and not _is_form(value):
                names.append(dotted)
                names += [f"{dotted}.{method}" for method in _methods(value)]
    return names


def _is_form(cls):
    """Whether users write classes of this form, and call none."""
    return getattr(cls, "_is_protocol", False) or inspect.isabstract(cls)


def _methods(cls):
    forms = [base for base in cls.__mro__ if base is not cls and _is_form(base)]
    for name in dir(cls):
        if name.startswith("_") or isinstance(inspect.getattr_static(cls, name), property):
            continue
        if any(hasattr(form, name) for form in forms):
            continue  # called by the package, with what it fills in
        owner = next(base for base in cls.__mro__ if name in vars(base))
        if owner in (Record, Tabular):
            continue  # `tests/test_records.py` calls them of every result
        if callable(getattr(cls, name)) and owner.__module__.startswith("rbmflow"):
            yield name


RECORDS = {
    f"{room}.{name}"
    for room, names in {
        "ising": [
            "DegeneracyTable",
            "DensityOfStates",
            "EnergyLevels",
            "InferredCouplings",
            "JointDensityOfStates",
            "JointLevels",
        ],
        "networks": [
            "BinaryParameters",
            "Gradient",
            "Moments",
            "PairMoments",
        ],
        "sampling": [
            "Annealed",
            "BoltzmannChains",
            "Certificate",
            "Denoised",
            "Exchange",
            "Completion",
            "GibbsChains",
            "Curve",
            "Equilibration",
            "Recall",
            "Reweighting",
            "Run",
            "State",
            "StoredRun",
            "TemperedChains",
        ],
        "sampling.finite_size": ["Collapse", "Crossing", "Exponent", "Extrapolation", "Jackknifed", "Peak"],
        "rg": ["Couplings", "FixedPoint", "Grade", "MigdalKadanoffFixedPoint", "MonteCarloRG"],
        "likelihood": ["LogPartition"],
        "training": [
            "Averages",
            "BoltzmannFit",
            "Evidence",
            "Fit",
            "History",
            "Learned",
            "MachineCouplings",
            "NeuronFit",
            "State",
            "Update",
        ],
        "weight": [
            "BiasedWeight",
            "Enclosure",
            "LimitRow",
            "LimitTable",
            "MixtureWeight",
            "MonotoneCertificate",
        ],
        "weight.asymptotics": ["StrongCouplingSeries"],
        "flow": ["FixedPoints", "FlowAfterTraining", "Orbit", "Spectrum", "UniformFixedPoints"],
        "thermometer": ["Calibration", "FieldReading", "NullCalibration"],
    }.items()
    for name in names
}
"""Results, which the package fills in; their constructors check nothing and are not walked."""

V = np.array([[1, -1, 1, 1], [-1, -1, 1, -1], [1, 1, -1, 1], [-1, 1, 1, 1]], dtype=np.int8)
H = np.array([[1, -1], [-1, -1], [1, 1], [-1, 1]], dtype=np.int8)
MACHINE = RBM(np.linspace(-0.4, 0.5, 8).reshape(4, 2), [0.1, 0.0, -0.1, 0.2], [0.1, -0.2])
COUPLED = np.array([[0, 0.3, -0.2, 0.1], [0.3, 0, 0.4, 0.2], [-0.2, 0.4, 0, -0.1], [0.1, 0.2, -0.1, 0]])
NETWORK = Hopfield(COUPLED)
BOLTZMANN = BoltzmannMachine(COUPLED, n_visible=2)
LAW2 = StateLaw([[1, 1], [-1, -1], [1, -1], [-1, 1]], [0.4, 0.3, 0.2, 0.1])
LAW4 = StateLaw(V, [0.4, 0.3, 0.2, 0.1])
NEURON = Neuron([0.5, -0.25])
INPUTS, TARGETS = np.array([[0.5, 1.0], [-1.0, 0.25], [0.0, 2.0]]), np.array([1, 0, 1])
GRAPH = Graph.from_bonds(4, [(0, 1), (1, 2), (2, 3), (3, 0)], 0.5, 0.1)
SERIES = np.sin(np.arange(200.0) ** 2)
OF_TORUS = rbmflow.training_set(Torus(8, 8), [2.3], 40, rng=1).spins[0]
KNOWN = rbmflow.training_set(Torus(4, 4), [1.0, 2.0, 4.0], 20, rng=1)
LAW = Ring(4).magnetization_law(0.5)
_each = dict.fromkeys  # the same arguments for each of several callables
SIZES = {"n_visible": 8, "n_hidden": 4}
K_ALONE = _each(
    ("log_partition", "energy", "heat_capacity", "susceptibility", "magnetization_law"), {"K": 0.5}
)
IN_FIELD = _each(("magnetization", "correlation_length"), {"K": 0.5, "field": 0.1})
SUMS_OVER_STATES = {
    **K_ALONE,
    **_each(("magnetization", "state_law"), {"K": 0.5}),
    **_each(("enumerate", "density_of_states"), {}),
}
GEOMETRY = _each(
    ("neighbours", "bonds", "bond_couplings", "sublattices", "symmetries", "to_json", "to_graph"), {}
)
EXACT = _each(
    ("log_partition", "energy", "heat_capacity", "magnetization", "susceptibility"), {"K": 0.5, "field": 0.1}
)
INFINITE = _each(("log_partition", "energy", "heat_capacity", "magnetization", "entropy"), {"K": 0.5})
NODES = GRAPH.to_networkx() if importlib.util.find_spec("networkx") else None
PLANAR = {"n_rows": 6, "n_cols": 5, "periodic": (True, False), "couplings": (1.0, 0.5, 2.0)}


def _series_m(series):
    return (series["magnetization"],)


def _mean_value(_lattice, _K, m):
    return m


def _table():
    """Build the calls: classes with the arguments of their constructors, and methods of what these make."""
    machine, on = {"rbm": MACHINE}, {"lattice": Torus(4, 4)}
    path, saved = {"path": FOLDER / "written"}, FOLDER / "machine.npz"
    MACHINE.save(saved)
    np.savez(FOLDER / "arrays.npz", W=MACHINE.weights, vbias=MACHINE.visible_bias, hbias=MACHINE.hidden_bias)
    trained = rbmflow.fit(MACHINE, V, negative=Exact(), n_epochs=1, rng=1)
    trained.state.save(FOLDER / "state.npz")
    kept = Trajectory(1)
    kept(trained)
    kept.save(FOLDER / "machines.npz")
    chains = rbmflow.sampling.tempered(MACHINE, n_chains=4, n_sweeps=2, ladder=3, rng=1)
    BOLTZMANN.save(FOLDER / "boltzmann.npz")
    NETWORK.save(FOLDER / "hopfield.npz")
    if not missing("sampling.TrainingSet.save"):
        KNOWN.save(FOLDER / "known.nc")
    first = {"first_bond": lambda spins: spins[:, 0] * spins[:, 1]}
    ran = rbmflow.sampling.run(Ring(8), [0.3, 0.5], n_chains=2, n_sweeps=20, rng=1, observables=first)
    ran.save(FOLDER / "run.npz")
    reweighting = rbmflow.sampling.reweight(
        rbmflow.sampling.run(Ring(8), 0.5, n_chains=100, n_sweeps=20, rng=1), n_blocks=5
    )
    sizes = [
        rbmflow.sampling.reweight(
            rbmflow.sampling.run(Torus(side, side), 0.44, n_chains=64, n_sweeps=200, burn_in=50, rng=1),
            n_blocks=5,
        )
        for side in (4, 6)
    ]
    level = rbmflow.sampling.finite_size.level(sizes[0], "energy", -1.4)
    levels = {"lengths": [4.0, 6.0, 8.0], "numbers": [level] * 3, "powers": [1.0]}
    exchange = rbmflow.sampling.replica_exchange(Ring(8), [0.3, 0.5], n_sweeps=20, rng=1)
    curve = thermometer.magnetization.fit(KNOWN)
    measured = fit_curve(KNOWN)
    network = thermometer.NetworkThermometer(
        Torus(4, 4), KNOWN.temperature, (np.full((16, 3), 0.1),), (np.array([0.1, 0.0, -0.1]),)
    )
    reads = _each(("estimate", "readings"), {"configurations": KNOWN.spins[1]})
    reads["calibrate"] = {"training_set": KNOWN}
    of_state = _each(("activation", "energy"), {"x": V})
    stored = {"save": path}
    # arguments of the constructor (None: a result, or checked by use), an object, calls of its methods
    classes = {
        "ising.Chain": (
            {"n_sites": 6},
            None,
            {
                **K_ALONE,
                **GEOMETRY,
                **IN_FIELD,
                "correlation": {"K": 0.5, "r": 2},
                "sample": {"K": 0.5, "size": 3, "rng": 1},
            },
        ),
        "ising.Ring": (
            {"n_sites": 6},
            None,
            {
                **K_ALONE,
                **GEOMETRY,
                **IN_FIELD,
                "correlation": {"K": 0.5, "r": 2, "field": 0.1},
                "degeneracies": {},
                "enumerate": {},
                "sample": {"K": 0.5, "size": 3, "field": 0.1, "rng": 1},
            },
        ),
        "ising.RingInFields": (
            {"K": 0.5, "fields": [0.1, -0.2, 0.3]},
            None,
            {"sample": {"size": 3, "rng": 1}},
        ),
        "ising.Torus": (
            {"n_rows": 4, "n_cols": 4},
            None,
            {**K_ALONE, **GEOMETRY, "density_of_states": {}, "joint_density_of_states": {}},
        ),
        **{
            f"ising.{kind.__name__}": (PLANAR, None, {**GEOMETRY, **EXACT, "positions": {}})
            for kind in lattices().values()
            if issubclass(kind, Planar)
        },
        "ising.Hypercubic": (
            {"shape": (2, 6, 4), "couplings": 0.5},
            None,
            {**GEOMETRY, **EXACT, "positions": {}},
        ),
        **{
            f"ising.{name}": ({"couplings": (1.0, 0.5, 2.0)}, None, INFINITE)
            for name in ("InfiniteTriangular", "InfiniteHoneycomb")
        },
        "ising.InfiniteStrip": (
            {"lattice": Triangular(3, 2), "axis": 1},
            None,
            {**EXACT, "correlation_length": {"K": 0.5, "field": 0.1}},
        ),
        "ising.Graph": (
            {
                "indptr": GRAPH.indptr,
                "indices": GRAPH.indices,
                "couplings": GRAPH.couplings,
                "fields": GRAPH.fields,
            },
            GRAPH,
            {
                **GEOMETRY,
                **SUMS_OVER_STATES,
                "from_bonds": {
                    "n_sites": 3,
                    "bonds": [(0, 1), (1, 2)],
                    "couplings": [1.0, 0.5],
                    "fields": 0.1,
                },
                "from_edges": {"edges": [(0, 1, 1.0), (1, 2, -0.5)], "n_sites": 4, "fields": 0.1},
                "from_networkx": {"graph": NODES},
                "to_networkx": {},
                "from_matrix": {"couplings": COUPLED, "fields": 0.1},
            },
        ),
        "ising.Law": (
            {"values": LAW.values, "probabilities": LAW.probabilities},
            LAW,
            {"moment": {"order": 2}, "symmetrized": {}},
        ),
        "ising.DegeneracyTable": (
            None,
            Ring(6).degeneracies(),
            {
                **_each(("alpha_marginal", "magnetization_marginal", "moment", "rows", "to_dataframe"), {}),
                "to_csv": path,
            },
        ),
        "ising.DensityOfStates": (
            None,
            Torus(4, 4).density_of_states(),
            {"moment": {"energy_power": 2}, "rows": {}},
        ),
        "ising.JointDensityOfStates": (
            None,
            Torus(4, 4).joint_density_of_states(),
            {"moment": {}, "rows": {}},
        ),
        "networks.RBM": (
            {
                "weights": MACHINE.weights,
                "visible_bias": MACHINE.visible_bias,
                "hidden_bias": MACHINE.hidden_bias,
            },
            MACHINE,
            {
                **stored,
                **_each(("field_on_hidden", "free_energy", "mean_hidden", "log_likelihood"), {"v": V}),
                **_each(("field_on_visible", "free_energy_hidden", "mean_visible"), {"h": H}),
                "energy": {"v": V, "h": H},
                "sample_hidden": {"v": V, "rng": 1},
                "sample_visible": {"h": H, "rng": 1},
                "decimating": {"lattice": Ring(8), "K": 0.5, "copy_weight": 2.0},
                "from_binary": {"source": MACHINE.weights},
                "to_binary": {},
                "load": {"path": saved},
                "local": {"lattice": Ring(4), "K": 0.5},
                "local_ring": {"n_visible": 6, "K": 0.5},
                "uniform": {"n_visible": 4, "n_hidden": 2, "weight": 0.3},
            },
        ),
        "networks.BoltzmannMachine": (
            {"couplings": COUPLED, "bias": np.zeros(4), "n_visible": 2},
            BOLTZMANN,
            {**of_state, **stored, "from_rbm": machine, "load": {"path": FOLDER / "boltzmann.npz"}},
        ),
        "networks.Hopfield": (
            {"weights": COUPLED, "biases": np.zeros(4)},
            NETWORK,
            {
                **of_state,
                **stored,
                **_each(("energy_gap", "flip_cost", "is_stable"), {"x": V}),
                "hebb": {"patterns": V},
                "pseudo_inverse": {"patterns": V[:2]},
                "load": {"path": FOLDER / "hopfield.npz"},
            },
        ),
        "networks.Neuron": (
            {"weights": [0.5, -0.25], "bias": 0.1},
            NEURON,
            {
                **_each(("activation", "mean_spin", "output"), {"inputs": INPUTS}),
                **_each(("error", "gradient", "log_likelihood"), {"inputs": INPUTS, "targets": TARGETS}),
            },
        ),
        "sampling.Reweighting": (
            None,
            reweighting,
            {
                "estimate": {"quantity": "energy", "K": 0.5},
                "n_effective": {"K": [0.5]},
                **_each(("curve", "replicates"), {"quantity": "binder_cumulant", "K": [0.49, 0.5]}),
            },
        ),
        "sampling.finite_size.Crossing": (
            None,
            rbmflow.sampling.finite_size.crossing(*sizes),
            {"effective_length": {"inverse_nu": 1.0, "omega": 1.75}},
        ),
        "sampling.finite_size.Extrapolation": (
            None,
            rbmflow.sampling.finite_size.extrapolate(**levels),
            {"at": {"length": 8.0}},
        ),
        "sampling.Run": (
            None,
            ran.at(0.5),
            {
                **stored,
                "after": {"n_draws": 5},
                "at": {"K": 0.5},
                "estimate": {"name": "first_bond"},
                "in_sweeps": {"estimate": rbmflow.Estimate.from_independent([0.1, 0.2, 0.4])},
                "to_xarray": {},
                "equals": {"other": ran},
                "load": {"path": FOLDER / "run.npz"},
            },
        ),
        "sampling.BoltzmannChains": (
            None,
            rbmflow.sampling.boltzmann_chains(BOLTZMANN, n_chains=2, n_sweeps=4, thin=2, rng=1),
            {"to_xarray": {}},
        ),
        "sampling.Exchange": (
            None,
            exchange,
            {"energy_estimate": {"rung": 1}, "to_run": {}, "to_xarray": {}},
        ),
        "sampling.GibbsChains": (
            None,
            rbmflow.sampling.block_gibbs(RBM.uniform(4, 2, 0.3), n_chains=2, n_sweeps=3, rng=1),
            {"to_xarray": {}},
        ),
        "sampling.TemperedChains": (None, chains, {"at": {"rung": 1}, "to_xarray": {}}),
        "sampling.TrainingSet": (
            {
                "lattice": KNOWN.lattice,
                "spins": KNOWN.spins,
                "temperature": KNOWN.temperature,
                "certificate": KNOWN.certificate,
                "provenance": KNOWN.provenance,
            },
            KNOWN,
            {**stored, "load": {"path": FOLDER / "known.nc"}, "to_xarray": {}},
        ),
        "training.CD": ({"k": 1}, None, {}),
        "training.PCD": ({"k": 1, "n_chains": 4}, None, {}),
        "training.Tempered": ({"ladder": [1.0, 0.5, 0.0], "k": 1, "n_chains": 4}, None, {}),
        "training.Exact": ({}, None, {}),
        "training.Update": (None, Update(None, V, None, 2, None, None), {"batch": {}}),
        "training.SGD": ({"rate": 0.1}, None, {}),
        "training.Momentum": ({"rate": 0.1, "momentum": 0.5}, None, {}),
        "training.Adam": ({"rate": 0.1}, None, {}),
        "training.LBFGS": ({"gradient": 1e-6, "memory": 5}, None, {}),
        "training.Decay": ({"start": 0.1}, None, {}),
        "training.Exponential": ({"start": 0.1, "factor": 0.5}, None, {}),
        "training.Linear": ({"start": 0.1, "n_epochs": 4}, None, {}),
        "training.Grey": (
            {"probabilities": np.full((3, 4), 0.5)},
            Grey(np.full((3, 4), 0.5)),
            {"means": {}},
        ),
        "training.Incomplete": ({"spins": [[1, np.nan], [-1, 1]]}, None, {}),
        "training.Recipe": (
            {"l2": 0.1, "n_epochs": 2},
            Recipe(n_epochs=2),
            {"settled": {"rows": V}},
        ),
        "training.Checkpoint": (path, None, {}),
        "training.Trajectory": ({"every": 2}, kept, {**stored, "load": {"path": FOLDER / "machines.npz"}}),
        "training.SampledPhases": ({"n_chains": 4, "n_sweeps": 2, "schedule": [2.0, 1.0]}, None, {}),
        "training.EarlyStopping": (
            {"quantity": "kl", "patience": 2, "least": 0.0},
            None,
            {"better": {"value": 0.4, "than": 0.5}, "should_stop": {"values": [0.5, 0.4]}},
        ),
        "training.GibbsOperator": (machine, None, {"push": {"probabilities": np.full(16, 1 / 16), "k": 1}}),
        "training.History": (None, trained.history, {"keys": {}}),
        "training.State": (None, trained.state, {**stored, "load": {"path": FOLDER / "state.npz"}}),
        "rg.BlockFilter": ({"weights": [0.5, 0.2], "bias": 0.1}, None, {"machine": {"shape": 8}}),
        "rg.Decimation": ({"scale_factor": 3, "offset": 1}, None, {}),
        "rg.Function": (
            {"function": lambda spins, _: spins[..., ::2], "scale_factor": 2, "output_shape": (4,)},
            None,
            {},
        ),
        "rg.Hidden": ({**machine, "shape": 2, "scale_factor": 2.0}, None, {}),
        "rg.Majority": ({"scale_factor": 3}, None, {}),
        "rg.Stack": (None, rbmflow.rg.Stack(rbmflow.rg.Majority()), {"shapes": {"shape": (8, 8)}}),
        "rg.Sublattice": ({}, None, {"sites": {"shape": (8, 8)}}),
        "rg.Triangles": ({}, None, {"sites": {"shape": (9, 9)}}),
        "weight.TemperatureRange": ({"T_low": 0.5, "T_high": 1.5}, None, {}),
        "weight.TemperatureSet": ({"temperatures": [0.5, 1.5], "weights": [1, 2]}, None, {}),
        "weight.TemperatureDensity": (
            {"density": lambda T: 1.0 + 0 * T, "T_low": 0.5, "T_high": 1.5},
            None,
            {"at": {"T": 1.0}},
        ),
        "weight.asymptotics.StrongCouplingSeries": (
            None,
            rbmflow.weight.asymptotics.strong_coupling_series(8, 4, 3),
            {
                "accurate_from": {"tolerance": 1e-6},
                "error": {"K": 2.0},
                "variable": {"K": 2.0},
                "weight": {"K": 2.0},
            },
        ),
        "thermometer.EnergyThermometer": (
            on,
            None,
            {**reads, "resolution": {"temperature": [1.0, 2.0], "n_samples": 4}},
        ),
        "thermometer.EnergyCurveThermometer": (
            {
                **on,
                "temperature": measured.temperature,
                "energy": measured.energy,
                "stderr": measured.stderr,
                "heat_capacity": measured.heat_capacity,
            },
            measured,
            reads,
        ),
        "thermometer.FieldThermometer": (
            on,
            None,
            {
                "estimate": {"configurations": KNOWN.spins[1]},
                "heat_capacity": {"temperature": 2.0, "field": 0.5},
            },
        ),
        "thermometer.MagnetizationThermometer": (
            {
                **on,
                "temperature": curve.temperature,
                "magnetization": curve.magnetization,
                "stderr": curve.stderr,
            },
            curve,
            reads,
        ),
        "thermometer.NetworkThermometer": (
            {**on, "temperature": network.temperature, "weights": network.weights, "biases": network.biases},
            network,
            {**reads, **_each(("histogram", "probabilities"), {"configurations": KNOWN.spins[1]})},
        ),
        "Estimate": (
            None,
            Estimate.from_series(SERIES),
            {
                "deviation": {"exact": 0.1},
                "from_independent": {"samples": SERIES},
                "from_series": {"series": SERIES},
                "jackknife": {"function": np.mean, "series": SERIES},
            },
        ),
        "StateLaw": (
            {"states": V, "probabilities": [0.4, 0.3, 0.2, 0.1]},
            None,
            {
                "divergence": {"log_p": lambda states: np.full(len(states), -np.log(16.0))},
                "sample": {"size": 3, "rng": 1},
            },
        ),
    }
    if not missing("sampling.write_run"):
        there = FOLDER / "stored.nc"
        stored_run = rbmflow.sampling.write_run(there, Ring(8), 0.3, n_sweeps=20, rng=1)
        classes["sampling.StoredRun"] = (
            None,
            stored_run,
            {
                "series": {"name": "energy", "first": 2},
                "read": {"last": 5},
                "blocks": {"n_draws": 5},
                "measure": {"observables": first},
                "estimate": {"name": "energy"},
            },
        )
    lattice_spins = {"spins": OF_TORUS, "shape": (8, 8)}
    recalled = {"network": NETWORK, "clamped": np.array([True, False, False, False]), "rng": 1}
    of_machine = {"machine": BOLTZMANN, "temperature": 1.0}
    functions = {
        "ising.infer": {"spins": OF_TORUS, "shape": (8, 8), "operators": ["nearest neighbours"]},
        "ising.layer_degeneracies": {"n_units": 4},
        "ising.wave_vectors": {"lattice": Torus(4, 4)},
        **_each(
            ("ising.correlations", "ising.structure_factor"),
            {"lattice": Torus(4, 4), "spins": KNOWN.spins[1]},
        ),
        "ising.operator_law": {"shape": (2, 3), "couplings": {"nearest neighbours": 0.3}},
        "ising.denoising_coupling": {"error_rate": 0.1},
        "ising.noise_field": {"error_rate": 0.1},
        "ising.state_law": {"lattice": Ring(4), "K": 0.5},
        "sampling.add_noise": {"spins": V, "error_rate": 0.1, "rng": 1},
        "sampling.anneal": {**recalled, "initial": V, "temperatures": [2.0, 1.0]},
        "sampling.recall": {**recalled, "probes": V, "max_sweeps": 10},
        "networks.boltzmann_kl": {**of_machine, "law": LAW2},
        "networks.boltzmann_log_partition": of_machine,
        "networks.boltzmann_moments": {**of_machine, "clamped": LAW2},
        "networks.boltzmann_pseudo_likelihood": {"machine": BOLTZMANN, "x": V[:, : len(COUPLED)]},
        "networks.boltzmann_visible_law": of_machine,
        "networks.effective_coupling": {**machine, "sites": [0, 1]},
        "networks.effective_couplings": machine,
        "networks.effective_fields": machine,
        "networks.effective_pairs": machine,
        "networks.effective_triples": {**machine, "sites": [0, 1, 3]},
        "networks.exact_log_partition": machine,
        "networks.exact_moments": machine,
        "training.fit_neuron": {
            "inputs": INPUTS,
            "targets": TARGETS,
            "initial": NEURON,
            "n_epochs": 3,
            "decay": 0.1,
        },
        "training.neuron_evidence": {
            "neuron": rbmflow.training.fit_neuron(INPUTS, TARGETS, decay=0.1, method="BFGS").neuron,
            "inputs": INPUTS,
            "targets": TARGETS,
            "decay": 0.1,
        },
        "sampling.geometric_schedule": {"T_first": 2.0, "T_last": 1.0, "n_sweeps": 3},
        "sampling.linear_schedule": {"T_first": 2.0, "T_last": 1.0, "n_sweeps": 3},
        "networks.hidden_law": machine,
        "networks.visible_law": machine,
        "networks.kl_divergence": {"law": LAW4, **machine},
        "networks.overlap": {"x": V, "patterns": V},
        "networks.read_machine": {"path": FOLDER / "arrays.npz", "units": "binary"},
        "networks.sample_exactly": {**machine, "size": 3, "rng": 1},
        "sampling.block_gibbs": {**machine, "n_chains": 4, "n_sweeps": 2, "rng": 1, "initial": V},
        "sampling.boltzmann_chains": {
            "machine": BOLTZMANN,
            "n_chains": 4,
            "n_sweeps": 2,
            "rng": 1,
            "initial": V,
        },
        "sampling.complete": {
            **machine,
            "rows": [[1, -1, 1, -1], [1, np.nan, 1, 1]],
            "n_chains": 3,
            "n_sweeps": 2,
            "rng": 1,
        },
        "sampling.denoise": {"lattice": Torus(2, 2), "K": 0.5, "noisy": V, "error_rate": 0.1, "rng": 1},
        "sampling.tempered": {**machine, "n_chains": 4, "n_sweeps": 2, "ladder": 3, "rng": 1, "initial": V},
        "sampling.trajectory_tempering": {
            "machines": [MACHINE, MACHINE],
            "n_sweeps": 2,
            "rng": 1,
            "initial": V,
        },
        "sampling.spaced_machines": {
            "machines": [MACHINE] * 3,
            "rate": 0.4,
            "n_chains": 3,
            "n_sweeps": 2,
            "rng": 1,
        },
        "sampling.is_irreducible": {"lattice": Ring(4)},
        "sampling.replica_exchange": {"lattice": Ring(8), "couplings": [0.3, 0.5], "n_sweeps": 2, "rng": 1},
        "sampling.run": {"lattice": Ring(4), "K": 0.5, "n_chains": 4, "n_sweeps": 2, "rng": 1, "initial": V},
        "sampling.equilibration": {"run": ran},
        "sampling.observables": {"lattice": Torus(4, 4)},
        "sampling.reweight": {"runs": ran, "n_blocks": 4},
        "sampling.finite_size.linear_size": {"lattice": Torus(4, 4)},
        "sampling.finite_size.crossing": {"first": sizes[0], "second": sizes[1]},
        "sampling.finite_size.level": {"size": sizes[0], "quantity": "energy", "value": -1.4},
        "sampling.finite_size.peak": {"size": sizes[0], "quantity": "heat_capacity"},
        "sampling.finite_size.exponent": {"sizes": sizes, "quantity": "susceptibility", "K": 0.44},
        "sampling.finite_size.extrapolate": levels,
        "sampling.finite_size.collapse": {"sizes": sizes, "K_c": 0.44, "inverse_nu": 1.0, "width": 0.2},
        "sampling.Quantity": {"name": "m", "measured": _series_m, "value": _mean_value},
        "sampling.training_set": {"lattice": Ring(8), "temperatures": [1.0, 2.0], "n_samples": 3, "rng": 1},
        "sampling.open_run": {"path": FOLDER / "stored.nc"},
        "sampling.write_exchange": {
            "path": FOLDER / "exchange.nc",
            "lattice": Ring(8),
            "couplings": [0.3, 0.5],
            "n_sweeps": 2,
            "rng": 1,
        },
        "sampling.write_run": {
            "path": FOLDER / "run.nc",
            "lattice": Ring(4),
            "K": 0.5,
            "n_chains": 4,
            "n_sweeps": 2,
            "rng": 1,
        },
        "sampling.write_training_set": {
            "path": FOLDER / "set.zarr",
            "lattice": Ring(8),
            "temperatures": [1.0, 2.0],
            "n_samples": 3,
            "rng": 1,
        },
        "rg.block_spins": {**lattice_spins, "rng": 1},
        "rg.coarse_law": {"transformation": rbmflow.rg.Majority(), "law": LAW4, "shape": 4},
        "rg.decimate": {"K": 0.5},
        "rg.decimate_in_field": {"K": 0.5, "h": 0.1},
        "rg.decimate_spins": lattice_spins,
        "rg.decimation_fixed_points": {},
        "rg.decimation_flow": {"K": 0.5, "n_steps": 2},
        "rg.even_operators": lattice_spins,
        "rg.grade": {"transformation": rbmflow.rg.Majority(), "lattice": Ring(8), "K": 0.5, "rng": 1},
        "rg.odd_operators": lattice_spins,
        "rg.migdal_kadanoff": {"K": 0.5},
        "rg.migdal_kadanoff_fixed_point": {},
        "rg.migdal_kadanoff_flow": {"K": 0.5, "n_steps": 2},
        "rg.renormalization_group": {
            **lattice_spins,
            "n_steps": 1,
            "n_even": 2,
            "n_odd": 1,
            "n_blocks": 4,
            "rng": 1,
        },
        "likelihood.log_partition": {
            **machine,
            "method": "bracket",
            "n_temperatures": 5,
            "n_chains": 4,
            "start": V,
            "rng": 1,
        },
        "training.fit": {"model": MACHINE, "data": V, "negative": CD(1), "n_epochs": 1, "rng": 1},
        "training.learn": {"rows": V, "n_hidden": 2, "recipe": Recipe(n_epochs=2), "rng": 1},
        "training.fit_boltzmann": {"machine": BOLTZMANN, "data": V[:, :2], "n_steps": 1},
        "training.bootstrap_couplings": {
            "rows": V,
            "train": lambda rows, rng: MACHINE,
            "n_repeats": 2,
            "rng": 1,
        },
        "training.boltzmann_gradient": {
            "machine": BOLTZMANN,
            "law": LAW2,
            "phases": SampledPhases(4, 2, [1.0]),
            "rng": 1,
        },
        "training.cd_fixed_point": {
            "rbm": RBM.uniform(2, 1, 0.2),
            "data": V[:, :2],
            "k": 1,
            "tie": "uniform",
        },
        "training.expected_update": {**machine, "data": V, "k": 1},
        "training.tied": {**machine, "tie": "uniform"},
        "weight.trained_weight": {"K": 0.5, **SIZES},
        "weight.trained_weight_density": {
            "density": lambda T: 1.0 + 0 * T,
            "T_low": 0.5,
            "T_high": 1.5,
            **SIZES,
        },
        "weight.trained_weight_derivative": {"K": 0.5, **SIZES},
        "weight.trained_weight_from_law": {"law": LAW, "n_hidden": 2},
        "weight.trained_weight_in_field": {"K": 0.5, "field": 0.1, **SIZES},
        "weight.trained_with_biases": {"law": LAW, "n_hidden": 2},
        "weight.trained_weight_from_samples": {"spins": np.vstack([V, V]), "n_hidden": 2},
        "weight.trained_weight_mixture": {"T_low": 0.5, "T_high": 1.5, **SIZES},
        "weight.trained_weight_temperatures": {"temperatures": [0.5, 1.5], **SIZES},
        "weight.kl_uniform": {"W": 0.3, "K": 0.5, **SIZES},
        "weight.kl_trained": {"K": 0.5, **SIZES},
        "weight.kl_curvature": {"K": 0.5, **SIZES},
        "weight.kl_curvature_at_zero": {"K": 0.5, **SIZES},
        "weight.f": {"W": 0.3, **SIZES},
        "weight.g": {"W": 0.3, "K": 0.5, "n_visible": 8},
        "weight.certified_weight": {"K": "0.5", **SIZES, "digits": 10},
        "weight.certified_monotone": {
            "n_visible": 4,
            "n_hidden": 2,
            "K_low": "0.5",
            "K_high": "0.6",
            "max_boxes": 4,
        },
        "weight.certified_unique": SIZES,
        "weight.limit_table": {"n_visible": 4, "n_hidden": 2, "dps": 10},
        "weight.low_temperature_law": {"T_high": 0.2, "n_visible": 8},
        "weight.low_temperature_leading_weight": {"T_high": 0.2, **SIZES},
        "weight.low_temperature_weight": {"T_high": 0.2, **SIZES},
        "weight.mixture_law": {"temperatures": TemperatureSet([0.5, 1.5]), "n_visible": 8},
        "weight.mixture_weight": {"temperatures": TemperatureRange(0.5, 1.5), **SIZES},
        "weight.asymptotics.long_ring_gain": {"K": 0.5, **SIZES},
        "weight.asymptotics.strong_coupling_series": {**SIZES, "order": 2},
        "weight.asymptotics.weak_coupling_coefficients": {**SIZES, "order": 2},
        "weight.asymptotics.weak_coupling_weight": {"K": 0.1, **SIZES},
        "flow.critical_coupling": SIZES,
        "flow.critical_coupling_law": SIZES,
        "flow.critical_coupling_limit": {"n_hidden": 4},
        "flow.critical_hidden": {"law": LAW},
        "flow.critical_parameter": {
            "law_at": Ring(4).magnetization_law,
            "n_hidden": 4,
            "low": 0.1,
            "high": 2.0,
        },
        "flow.critical_temperature": SIZES,
        "flow.critical_weight": SIZES,
        "flow.cycle_length": {"step": flow.sign, **machine, "v": V, "max_steps": 10},
        "flow.fixed_points": {**machine, "starts": V},
        "flow.flow_after_training": {"temperatures": TemperatureSet([0.5, 1.5]), **SIZES},
        "flow.gibbs": {**machine, "v": V, "rng": 1},
        "flow.lattice_observables": {"lattice": Ring(8), "distances": [1, 2]},
        "flow.mean_field": {**machine, "v": V},
        "flow.mean_field_free_energy": {**machine, "v": V},
        "flow.mean_field_jacobian": {**machine, "v": V},
        "flow.mean_field_sampled": {**machine, "v": V, "rng": 1},
        "flow.orbit": {"step": flow.mean_field_sampled, **machine, "v0": V, "n_steps": 2, "rng": 1},
        "flow.orders": {"law": LAW, "n_hidden": 2},
        "flow.sign": {**machine, "v": V},
        "flow.singular_value_bound": {"lattice": Ring(8), "K": 0.5, "n_hidden": 8},
        "flow.singular_value_bound_from_law": {"law": LAW2, "n_hidden": 8},
        "flow.spectrum": machine,
        "flow.training_sets": {},
        "flow.uniform_fixed_points": {"W": 0.3, **SIZES},
        "flow.uniform_map": {"m": 0.5, "W": 0.3, **SIZES},
        "thermometer.null_calibration": {
            "thermometer": thermometer.EnergyThermometer(Torus(4, 4)),
            "magnetizations": [0.0, 0.5],
            "n_samples": 3,
            "rng": 1,
        },
        "thermometer.magnetization.fit": {"training_set": KNOWN},
        "thermometer.network.fit": {"training_set": KNOWN, "hidden": (4,), "n_epochs": 1, "rng": 1},
        "spins.all_states": {"n_sites": 3},
        **_figures(curve),
        "hardware.resolve_threads": {"n_threads": 2},
    }
    found = {}
    for name, (arguments, made, methods) in classes.items():
        cls = _resolve(name)
        found[name] = None if arguments is None else Call(name, cls, arguments)
        thing = cls(**arguments) if made is None else made
        for method, given in methods.items():
            found[f"{name}.{method}"] = Call(f"{name}.{method}", getattr(thing, method), given)
    found = {name: call for name, call in found.items() if call}
    for name, given in functions.items():
        found[name] = Call(name, _resolve(name), given)
    found["Estimate.jackknife"] = Call(
        "Estimate.jackknife", _jackknife, found["Estimate.jackknife"].arguments
    )
    found["rg.Stack"] = Call("rg.Stack", _stack, {"layers": [rbmflow.rg.Majority(), rbmflow.rg.Majority(3)]})
    if not missing("estimator.IsingRBM"):
        found |= _estimator()
    return found


def _figures(curve):
    """Arguments of what draws; the figures of most experiments are tested with them."""
    if missing("plot."):
        return {}
    path = flow.orbit(flow.mean_field, MACHINE, V, 2)
    null = {"thermometer": curve, "magnetizations": [0.0, 0.5], "n_samples": 3, "rng": 1}
    return {
        "plot.calibration": {"calibrations": curve.calibrate(KNOWN)},
        "plot.degeneracies": {"table": Ring(6).degeneracies()},
        "plot.experiment": {"result": weight_map.run(weight_map.Parameters(8, n_couplings=3, n_ratios=4))},
        "plot.grade": {"grades": {"a": rbmflow.rg.grade(rbmflow.rg.Majority(), Ring(8), 0.5, rng=1)}},
        "plot.history": {"recorded": rbmflow.training.History({"epoch": [1.0, 2.0], "kl": [0.5, 0.25]})},
        "plot.limits": {"table": rbmflow.weight.limit_table(4, 2, dps=5)},
        "plot.null_calibration": {"results": thermometer.null_calibration(**null)},
        "plot.observables": {"lattice": Ring(6), "temperatures": [1.0, 2.0]},
        "plot.orbit": {"paths": {"mean field": path}, "observable": "magnetization"},
        "plot.save": {"ax": rbmflow.plot.orbit(path), "path": FOLDER / "drawn.svg", "dpi": 30},
        "plot.series": {"run": rbmflow.sampling.run(Ring(6), 0.5, n_sweeps=4, rng=1)},
        "plot.trained_weight": {**SIZES, "K": [0.5, 1.0]},
        "plot.training_set": {"data": KNOWN},
        "plot.weight_of_data": {"spins": V, "n_hidden": 2},
    }


def _jackknife(function, series, spacing: int = 1):
    return Estimate.jackknife(function, series, spacing=spacing)


def _stack(layers):
    return rbmflow.rg.Stack(*layers)


def _estimator():
    from rbmflow.estimator import IsingRBM

    made = IsingRBM(2, n_iter=1, batch_size=4, random_state=1).fit(V)
    methods = _each(("fit", "partial_fit", "transform", "score_samples", "score", "gibbs"), {"X": V})
    methods |= {"inverse_transform": {"X": H}, "log_partition": {}, "sample": {"n_samples": 3, "n_sweeps": 2}}
    return {
        f"estimator.IsingRBM.{method}": Call(f"estimator.IsingRBM.{method}", getattr(made, method), given)
        for method, given in methods.items()
    }


def _resolve(name):
    value = rbmflow
    for part in name.split("."):
        value = getattr(value, part) if hasattr(value, part) else importlib.import_module(f"rbmflow.{part}")
    return value


_X = ("activation", "energy", "energy_gap", "flip_cost", "is_stable")
SPINS = {
    **{f"networks.RBM.{name}": ("v",) for name in ("free_energy", "log_likelihood", "sample_hidden")},
    **{f"networks.RBM.{name}": ("h",) for name in ("free_energy_hidden", "sample_visible")},
    "networks.RBM.energy": ("v", "h"),
    **{f"networks.Hopfield.{name}": ("x",) for name in _X},
    **{f"networks.BoltzmannMachine.{name}": ("x",) for name in _X[:2]},
    **{f"networks.Hopfield.{name}": ("patterns",) for name in ("hebb", "pseudo_inverse")},
    **{f"ising.{name}": ("spins",) for name in ("infer", "correlations", "structure_factor")},
    "networks.boltzmann_pseudo_likelihood": ("x",),
    "sampling.add_noise": ("spins",),
    "sampling.anneal": ("initial",),
    "sampling.denoise": ("noisy",),
    "sampling.recall": ("probes",),
    "networks.overlap": ("x", "patterns"),
    **{f"sampling.{name}": ("initial",) for name in ("run", "block_gibbs", "boltzmann_chains")},
    **{f"sampling.{name}": ("initial",) for name in ("tempered", "trajectory_tempering")},
    "sampling.TrainingSet": ("spins",),
    **{
        f"rg.{name}": ("spins",)
        for name in ("block_spins", "decimate_spins", "even_operators", "odd_operators")
    },
    "plot.weight_of_data": ("spins",),
    "rg.renormalization_group": ("spins",),
    "likelihood.log_partition": ("start",),
    "training.fit": ("data", "held_out"),
    "training.bootstrap_couplings": ("rows",),
    "training.learn": ("rows",),
    "training.Recipe.settled": ("rows",),
    **{f"training.{name}": ("data",) for name in ("fit_boltzmann", "cd_fixed_point", "expected_update")},
    "weight.trained_weight_from_samples": ("spins",),
    "flow.gibbs": ("v",),
    "StateLaw": ("states",),
}
_READ = ("estimate", "readings", "histogram", "probabilities")
MEANS = {
    **{f"networks.RBM.{name}": ("v",) for name in ("mean_hidden", "field_on_hidden")},
    **{f"networks.RBM.{name}": ("h",) for name in ("mean_visible", "field_on_visible")},
    **{f"flow.mean_field{name}": ("v",) for name in ("", "_free_energy", "_jacobian", "_sampled")},
    "flow.cycle_length": ("v",),
    "flow.sign": ("v",),
    "flow.fixed_points": ("starts",),
    "flow.orbit": ("v0",),
    "thermometer.FieldThermometer.estimate": ("configurations",),
    **{f"thermometer.NetworkThermometer.{name}": ("configurations",) for name in _READ},
    **{
        f"thermometer.{one}Thermometer.{name}": ("configurations",)
        for one in ("Energy", "Magnetization")
        for name in _READ[:2]
    },
}
