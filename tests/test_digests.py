"""Digests of results of every package: what a change of form alone must leave as it is, to the last bit.

A result is a row of `EVERYWHERE` or of `HERE`. Those of `EVERYWHERE` are the same on every machine and
always compared bit for bit: integers, fractions, decimal digits, what kernels compute by additions and
multiplications alone, and spins. (A spin is drawn with a probability from an exponential function, whose
last bit may be another elsewhere; that turns one in 10^15 of them. What numpy's generators draw from a seed
is taken to stay as it is.)

Those of `HERE` are floats that went through transcendental functions of numpy or of the C library, through
BLAS, LAPACK or scipy, or through Python's `sum`. They are compared bit for bit where the versions, numpy's
processor features and the bits of a few such functions are those that stand beside the digests, see
`arithmetic`; elsewhere the few numbers of each that are stored are compared to ten digits, or five after
float32.

``python -m tests.test_digests`` writes tests/reference/digests.json anew, after a change that is meant to
change a result.
"""

import contextlib
import functools
import hashlib
import importlib.util
import io
import json
import math
import os
import platform
import re
import tempfile
import warnings
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest

from rbmflow import (
    RBM,
    Chain,
    Estimate,
    Graph,
    Ring,
    StateLaw,
    Torus,
    Triangular,
    flow,
    ising,
    networks,
    rg,
    sampling,
    thermometer,
    training,
    weight,
)
from rbmflow.cli import main
from rbmflow.likelihood import log_partition
from rbmflow.networks import BoltzmannMachine, Hopfield, Neuron
from rbmflow.training import CD, LBFGS, PCD, SGD, Adam, Decay, Exact, Momentum, SampledPhases, Tempered
from rbmflow.weight import TemperatureDensity, TemperatureRange, TemperatureSet, asymptotics

REFERENCE = Path(__file__).parent / "reference" / "digests.json"
LEVELS = ("plain", "avx2", "avx512")
FORCED = "RBMFLOW_SIMD" in os.environ  # then every result is computed at that level, and at no other
SHOWN = 6
"""Numbers of a result that are stored beside its digest."""


def grid(*shape, scale=1 / 128):
    """Return numbers of both signs that floats represent exactly, up to 0.4 in size."""
    return ((np.arange(math.prod(shape)) * 37 % 101 - 50) * scale).reshape(shape)


def spins(*shape):
    """Return spins that look drawn."""
    places = np.arange(math.prod(shape), dtype=np.int64)
    return 1 - 2 * ((places * places * 40503 + 7919 * places >> 9) % 2).astype(np.int8).reshape(shape)


def machine(n_visible, n_hidden, scale=1 / 128):
    return RBM(grid(n_visible, n_hidden, scale=scale), grid(n_visible), grid(n_hidden))


def couplings(n_units):
    upper = np.triu(grid(n_units, n_units), 1)
    return upper + upper.T


DATA = spins(90, 7)
SMALL, LARGE = machine(7, 5), machine(23, 18)
STEEP = machine(20, 9, scale=16.0)
"""Its weights are too large for tables of exponentials."""
LAW = StateLaw(np.unique(spins(9, 4), axis=0)[:5], [0.3, 0.25, 0.2, 0.15, 0.1])
BOLTZMANN = BoltzmannMachine(couplings(6), grid(6), n_visible=4)
INPUTS, TARGETS = grid(8, 3), np.arange(8) % 3 % 2
GRAPH = Graph.from_bonds(
    7, [(i, j) for i in range(7) for j in range(i) if (i + j) % 3], grid(14, scale=1 / 32), grid(7)
)
RANGE, SET = TemperatureRange(0.5, 1.5), TemperatureSet([0.5, 1.5, 3.0], weights=[1, 2, 1])
K = ["0.3", "1", "2.5"]
FLOATS = np.array([-1.0, 0.0, 1e-9, 0.01, 0.3, 0.44, 1.0, 1.25, 1.3, 2.5, 9.0, 200.0])


@functools.cache
def known():
    return sampling.training_set(Torus(4, 4), [1.0, 2.0, 4.0], 24, rng=3)


def chains(lattice, couplings, **options):
    """Run chains, and go on with them."""
    first = sampling.run(lattice, couplings, n_sweeps=4, thin=2, burn_in=1, rng=5, **options)
    again = sampling.run(
        lattice,
        couplings,
        n_sweeps=3,
        initial=first,
        keep_spins=False,
        **{key: value for key, value in options.items() if key != "n_chains"},
    )
    return [(one.spins, one.energy, one.magnetization, one.state) for one in (first, again)]


def fit(model=SMALL, data=DATA, **options):
    """Train for three epochs."""
    found = training.fit(model, data, n_epochs=3, batch_size=16, rng=7, **options)
    return found.model, found.best, found.history.values, found.state


def plain_fit(precision, negative):
    """Train by the kernel alone: without the history, which numpy measures."""
    *_, state = fit(negative=negative, precision=precision, optimizer=SGD(Decay(0.25, 1, 1.0)))
    return replace(state, history={})


def arrays_of(path):
    """Return the arrays in an npz file, and what is text in it."""
    with np.load(path) as file:
        return {
            name: file[name].tobytes().decode() if name == "header" else file[name] for name in file.files
        }


def saved(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder, "model.npz"))
        return arrays_of(Path(folder, "model.npz"))


def variables(data):
    """Return what a netCDF file holds, but for its provenance and its seal, which covers that."""
    import xarray

    with tempfile.TemporaryDirectory() as folder:
        data.save(Path(folder, "saved.nc"))
        with xarray.open_dataset(Path(folder, "saved.nc"), engine="h5netcdf") as file:
            attributes = {name: file.attrs[name] for name in ("format", "lattice")}
            return attributes, {name: (one.dims, one.values) for name, one in file.variables.items()}


def command(text, *, rows=None):
    """Return what the command line prints and writes, but for pictures, reports and provenances."""
    printed, found = io.StringIO(), {}
    with tempfile.TemporaryDirectory() as folder:
        if rows is not None:
            np.save(Path(folder, "rows.npy"), rows)
        words = text.replace("FOLDER", folder).split()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            assert main([*words, "--quiet", "--workers", "1", "--seed", "3"]) == 0, words
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix in (".csv", ".json") and not path.stem.endswith("provenance"):
                found[path.name] = path.read_text(encoding="utf-8")
            elif path.suffix == ".npz":
                found[path.name] = arrays_of(path)
        lines = printed.getvalue().replace(folder, "").splitlines(keepends=True)
        return "".join(line for line in lines if not line.rstrip().endswith((".png", ".svg"))), found


def files(text):
    """Return what the command line writes, where it prints how long it took."""
    return command(text)[1]


def stage(name):
    """Return the tables of a stage of the reproduction."""
    from rbmflow.experiments.reproduction import reproduce

    small = reproduce.Parameters(
        n_points=11, enumeration_sites=12, n_samples=100, boundary_exponent=3, n_steps=3, n_threads=1
    )
    tables, checks = reproduce.STAGES[name](small, np.random.default_rng(2))
    return {key: table.to_csv() for key, table in tables.items()}, [check.computed for check in checks]


def seven_steps():
    from rbmflow.experiments.seven_steps.experiment import Parameters, run

    small = Parameters(
        Torus(4, 4),
        (0.0, 2.0, 5.0),
        n_samples=20,
        training_sets=("V", "mean_field"),
        n_hidden=(3,),
        n_updates=20,
        n_snapshots=2,
        starts=(0.0, float("inf")),
        maps=("mean_field", "mean_field_sampled", "gibbs", "sign"),
        n_steps=2,
        n_flow=20,
        thermometers=("energy", "magnetization"),
        n_seeds=1,
    )
    return run(small, rng=4).values


def estimator():
    from rbmflow.estimator import IsingRBM

    made = IsingRBM(4, n_iter=2, learning_rate=0.05, batch_size=16, random_state=1).fit(DATA)
    drawn = made.sample(5, n_sweeps=3)
    return made.rbm_, drawn, made.score(DATA), made.transform(DATA[:3]), made.partial_fit(DATA[:9]).rbm_


def jackknife():
    series = spins(4, 300, 8).mean(axis=2)
    return (
        Estimate.from_series(series, spacing=2),
        Estimate.jackknife(lambda x, y: y - x**2, series, series**2),
        Estimate.from_independent(series[0]),
    )


def orbit():
    observables = flow.lattice_observables(Ring(7), [1, 2])
    along = functools.partial(flow.orbit, rbm=SMALL, v0=DATA, n_steps=3, observables=observables, rng=1)
    return [along(step) for step in (flow.mean_field, flow.mean_field_sampled, flow.gibbs, flow.sign)]


def network_thermometer():
    made = thermometer.network.fit(known(), hidden=(4,), n_epochs=2, rng=1)
    return made.weights, made.biases, made.loss, made.probabilities(known().spins[1])


def digits_of(lattice):
    names = ("log_partition", "energy", "heat_capacity", "susceptibility", "correlation_length")
    values = [getattr(lattice, name)(["0.4", "-1.25"], dps=30) for name in names]
    return values, lattice.correlation("0.4", [1, 3], dps=30), lattice.magnetization_law("0.4", dps=20)


def sampled_exchange(lattice, rule):
    order = "random" if rule == "metropolis" else None
    found = sampling.replica_exchange(
        lattice, [0.2, 0.35, 0.5], n_ladders=2, n_sweeps=12, burn_in=2, rule=rule, order=order, rng=1
    )
    return found.spins, found.energy, found.magnetization, found.round_trips, found.rates


def gibbs_chains(precision):
    options = {"precision": precision, "n_sweeps": 3}
    first = sampling.block_gibbs(machine(35, 18), n_chains=150, rng=1, **options)
    cold = sampling.block_gibbs(SMALL, n_chains=9, rng=1, inverse_temperature=2.5, **options)
    return first, cold, sampling.block_gibbs(machine(35, 18), initial=first, **options)


def recalled(network):
    n = network.n_units
    return [
        sampling.recall(network, spins(12, n), order="random", rng=1),
        sampling.recall(network, spins(12, n), order="sequential", clamped=np.arange(n) % 5 == 0),
    ]


def annealed():
    network = Hopfield(couplings(9), grid(9))
    schedule = sampling.geometric_schedule(4.0, 0.5, 4)
    return sampling.anneal(network, spins(6, 9), schedule, clamped=np.arange(9) == 3, rng=1)


def readings(of):
    here = known().spins[1]
    return of.readings(here), of.estimate(here), of.calibrate(known())


def neurons():
    with warnings.catch_warnings(action="ignore"):  # a plane separates these targets
        return (
            training.fit_neuron(INPUTS, TARGETS, n_epochs=20),
            training.fit_neuron(INPUTS, TARGETS, method="stochastic", batch_size=3, n_epochs=5, rng=1),
        )


EVERYWHERE = {
    "ising.ring_counts": lambda: [Ring(13).degeneracies(), Ring(12).degeneracies().to_csv()],
    "ising.ring_enumerated": lambda: Ring(17).enumerate(),
    "ising.torus_counts": lambda: [
        Torus(4, 5).density_of_states(),
        Torus(8, 8).density_of_states().count,
        Torus(4, 5).joint_density_of_states(),
    ],
    "ising.layer_counts": lambda: ising.layer_degeneracies(9),
    "ising.ring_digits": lambda: digits_of(Ring(12)),
    "ising.chain_digits": lambda: digits_of(Chain(7)),
    "ising.torus_digits": lambda: [
        getattr(Torus(4, 6), name)("0.4", dps=25) for name in ("log_partition", "energy", "heat_capacity")
    ],
    "ising.onsager_digits": lambda: [
        ising.onsager.critical_coupling(dps=30),
        *(
            getattr(ising.onsager, name)("0.5", dps=30)
            for name in ("log_partition", "energy", "heat_capacity", "magnetization")
        ),
    ],
    "ising.graph": lambda: [GRAPH, Graph.from_matrix(couplings(5), grid(5))],
    "ising.ring_samples": lambda: [
        Ring(37).sample(0.7, 41, rng=1),
        Ring(38).sample(-0.7, 9, rng=1),
        Ring(130).sample(20.0, 5, rng=1),
    ],
    "ising.frustrated_samples": lambda: [Ring(9).sample(coupling, 33, rng=1) for coupling in (-0.4, -np.inf)],
    "sampling.replicas": lambda: chains(Torus(4, 6), np.array([0.0, 0.2, 0.44, -0.3] * 150)),
    "sampling.replicas_of_a_ring": lambda: chains(Ring(9), 0.6, n_chains=20),
    "sampling.replicas_metropolis": lambda: chains(
        Torus(3, 5), 0.3, n_chains=20, rule="metropolis", allow_reducible=True, order="sequential"
    ),
    "sampling.checkerboard": lambda: chains(Torus(6, 8), 0.44, n_chains=2, order="checkerboard"),
    "sampling.checkerboard_in_a_field": lambda: chains(
        Torus(4, 66), [-0.4, 0.3], rule="metropolis", order="checkerboard", field=0.125, allow_reducible=True
    ),
    "sampling.wolff": lambda: [
        chains(Torus(6, 5), 0.44, n_chains=2, rule="wolff"),
        chains(Ring(9), 0.8, rule="wolff"),
    ],
    "sampling.swendsen_wang": lambda: [
        chains(Torus(6, 5), -0.44, n_chains=2, rule="swendsen_wang"),
        chains(Ring(9), 0.8, rule="swendsen_wang"),
    ],
    "sampling.graph_clusters": lambda: [
        chains(GRAPH, [-0.5, 0.5], rule="wolff"),
        chains(GRAPH, 0.8, n_chains=2, rule="swendsen_wang"),
        chains(Torus(2, 3), 0.4, rule="swendsen_wang", field=0.25),
    ],
    "sampling.graph_heat_bath": lambda: chains(GRAPH, [0.5, 1.0, 1.5]),
    "sampling.graph_metropolis": lambda: chains(GRAPH, 0.8, n_chains=2, rule="metropolis", order="random"),
    "sampling.blocks_heat_bath": lambda: chains(GRAPH, np.array([0.0, 0.5, -1.5] * 30)),
    "sampling.blocks_metropolis": lambda: chains(
        Triangular(3, 4),
        0.3,
        n_chains=70,
        rule="metropolis",
        order="colours",
        field=0.25,
        allow_reducible=True,
    ),
    "sampling.mixed_replicas": lambda: [
        chains(Triangular(3, 4, couplings=(1.0, 1.0, -1.0)), np.array([0.2, -0.5] * 40)),
        chains(Chain(7), 0.6, n_chains=70, rule="metropolis", order="sequential", allow_reducible=True),
    ],
    "sampling.chain_of_spins": lambda: chains(Chain(11), 0.8, n_chains=2, field=0.25),
    "sampling.replica_exchange": lambda: sampled_exchange(Torus(4, 4), rule="heat_bath"),
    "sampling.replica_exchange_on_a_graph": lambda: sampled_exchange(GRAPH, rule="metropolis"),
    "sampling.replica_exchange_in_blocks": lambda: sampled_exchange(GRAPH, rule="heat_bath"),
    "sampling.block_gibbs_float32": lambda: gibbs_chains("float32"),
    "sampling.block_gibbs_float64": lambda: gibbs_chains("float64"),
    "sampling.boltzmann_chains": lambda: [
        sampling.boltzmann_chains(
            BoltzmannMachine(couplings(21), grid(21)),
            temperature=[4.0, 2.0, 1.0],
            n_chains=67,
            n_sweeps=3,
            thin=2,
            order=order,
            clamped=clamped,
            rng=1,
            initial=spins(67, 21),
        )
        for order in ("sequential", "random")
        for clamped in (None, np.arange(21) % 4 == 1)
    ],
    "sampling.training_set_of_a_ring": lambda: (
        sampling.training_set(Ring(10), [0.0, 1.0, 3.0], 9, rng=1).spins
    ),
    "sampling.training_set_of_a_torus": lambda: [
        known().spins,
        sampling.training_set(Torus(4, 6), [0.0, 2.5, np.inf], 7, rng=1).spins,
        [(one.rule, one.burn_in, one.thin) for one in known().certificate],
    ],
    "sampling.irreducible": lambda: [
        sampling.is_irreducible(lattice, rule, order)
        for lattice in (Ring(6), Torus(2, 3), GRAPH)
        for rule in ("heat_bath", "metropolis")
        for order in ("sequential", "random")
    ],
    "networks.hebb": lambda: [
        Hopfield.hebb(spins(3, 20)),
        Hopfield.hebb(spins(3, 20), learning_rate=0.5),
        networks.overlap(spins(2, 20), spins(3, 20)),
    ],
    "networks.recall": lambda: recalled(Hopfield.hebb(spins(9, 70))),
    "networks.recall_by_real_couplings": lambda: recalled(Hopfield(couplings(37), grid(37))),
    "networks.recall_at_once": lambda: sampling.recall(
        Hopfield.hebb(spins(9, 70)), spins(12, 70), dynamics="synchronous"
    ),
    "networks.annealed_states": lambda: annealed().states,
    "networks.conditional_spins": lambda: [
        SMALL.sample_hidden(DATA[:9], rng=1),
        SMALL.sample_visible(spins(9, 5), rng=1),
        networks.sample_exactly(SMALL, 20, rng=1),
    ],
    "networks.saved": lambda: [saved(one) for one in (SMALL, BOLTZMANN, Hopfield(couplings(5)))],
    "training.cd_float32": lambda: plain_fit("float32", CD(2)),
    "training.cd_float64": lambda: plain_fit("float64", CD(1)),
    "training.pcd_float32": lambda: plain_fit("float32", PCD(2, n_chains=18)),
    "training.pcd_float64": lambda: plain_fit("float64", PCD(1, n_chains=5)),
    "training.saved": lambda: saved(plain_fit("float32", PCD(1, n_chains=3))),
    "weight.digits": lambda: [
        weight.trained_weight(K, 8, 4, dps=30),
        weight.trained_weight(["0.001", "40"], 9, 5, dps=20),
        weight.trained_weight("0.5", 300, 20, dps=20),
    ],
    "weight.derivative_digits": lambda: weight.trained_weight_derivative(K, 8, 4, dps=25),
    "weight.sides_digits": lambda: [weight.f("0.3", 8, 4, dps=30), weight.g("0.3", K, 8, dps=30)],
    "weight.divergence_digits": lambda: [
        weight.kl_uniform("0.3", K, 8, 4, dps=25),
        weight.kl_trained("1", 8, 4, dps=25),
        weight.kl_curvature("1", 8, 4, dps=25),
        weight.kl_curvature_at_zero("1", 8, 4, dps=25),
    ],
    "weight.mixture_digits": lambda: [
        weight.trained_weight_mixture("0", "1", 8, 4, dps=20),
        weight.trained_weight_mixture("0.5", "1.5", 8, 4, dps=20),
        weight.trained_weight_temperatures(["0.5", "1.5", "3"], 8, 4, weights=[1, 2, 1], dps=20),
    ],
    "weight.law_digits": lambda: [
        weight.trained_weight_from_law(Ring(8).magnetization_law("0.7", dps=40), 4, dps=25),
        weight.mixture_law(TemperatureSet(["0.5", "1.5"]), 8, dps=25),
    ],
    "weight.low_temperature_digits": lambda: [
        weight.low_temperature_law("0.2", 8, dps=25),
        weight.low_temperature_weight("0.2", 8, 4, dps=25),
    ],
    "weight.limits": lambda: weight.limit_table(6, 3, dps=20),
    "weight.series": lambda: [
        asymptotics.weak_coupling_coefficients(8, 4, 5),
        asymptotics.strong_coupling_series(8, 4, 4).coefficients,
        asymptotics.strong_coupling_series(8, 4, 4).weight("3", dps=25),
        asymptotics.weak_coupling_weight("0.01", 8, 4, dps=25),
        asymptotics.long_ring_gain("0.2", 1000, 500, dps=25),
    ],
    "weight.certified": lambda: [
        weight.certified_weight("0.5", 8, 4, digits=20),
        weight.certified_monotone(4, 2, "0.5", "0.6", max_boxes=20),
    ],
    "flow.mean_field": lambda: [
        flow.mean_field(rbm, v.astype(real), n_steps=3)
        for rbm, v in ((machine(21, 18), grid(100, 21)), (SMALL, DATA))
        for real in (np.float32, np.float64)
    ],
    "flow.drawn": lambda: [
        flow.gibbs(SMALL, DATA, 1, n_steps=2),
        flow.mean_field_sampled(SMALL, DATA, 1),
        flow.sign(SMALL, DATA),
        flow.cycle_length(flow.sign, SMALL, DATA[:9]),
    ],
    "flow.threshold_digits": lambda: [
        flow.critical_coupling(8, 4, dps=30),
        flow.critical_coupling_law(100, 50, dps=25),
        flow.critical_coupling_limit(4, dps=25),
    ],
    "flow.orders": lambda: [
        flow.critical_hidden(Ring(8).magnetization_law(0.5)),
        *(bool(flow.orders(Ring(8).magnetization_law(coupling), 4)) for coupling in (0.3, 0.44, 0.45)),
    ],
    "rg.digits": lambda: [
        rg.decimate("0.7", "0.1", scale_factor=3, dps=30),
        rg.decimate_in_field("0.7", "0.2", dps=30),
        rg.migdal_kadanoff("0.4", scale_factor=3, dps=30),
        rg.migdal_kadanoff_fixed_point(dps=30),
    ],
    "rg.block_spins": lambda: [
        rg.block_spins(spins(5, 36), (6, 6), rng=1),
        rg.block_spins(spins(5, 36), (6, 6), scale_factor=3, rng=1),
        rg.decimate_spins(spins(5, 36), (6, 6)),
    ],
    "rg.operators": lambda: [
        rg.even_operators(spins(5, 64), (8, 8)),
        rg.odd_operators(spins(5, 64), (8, 8)),
    ],
    "cli.degeneracies": lambda: command("degeneracies 10 --format csv --brute-force"),
    "cli.weight_digits": lambda: command("weight 0.5 1 inf --visible 8 --hidden 4 --dps 25 --format json"),
    "cli.limits": lambda: command("limits --visible 6 --hidden 3 --dps 20 --format csv"),
    "cli.ising_digits": lambda: command("ising ring 8 --K 0.5 1 --dps 25 --format csv"),
}


HERE = {
    "ising.laws": lambda: [
        Ring(12).magnetization_law([0.3, 1.0]),
        Chain(9).magnetization_law(0.7),
        Torus(3, 4).magnetization_law(0.4),
        ising.state_law(Ring(5), 0.4),
        Ring(30).correlation(0.7, [1, 2, 15]),
    ],
    "ising.torus": lambda: [
        getattr(Torus(4, 6), name)([0.1, 0.44, -0.6])
        for name in ("log_partition", "energy", "heat_capacity", "susceptibility")
    ],
    "ising.onsager": lambda: [
        getattr(ising.onsager, name)([0.3, 0.44, 0.6])
        for name in ("log_partition", "energy", "heat_capacity", "magnetization")
    ],
    "sampling.certificates": lambda: known().certificate,
    "sampling.saved": lambda: variables(known()),
    "sampling.estimates": lambda: [
        getattr(sampling.run(Torus(4, 4), 0.3, n_chains=20, n_sweeps=100, rng=1), name)
        for name in (
            "energy_estimate",
            "heat_capacity_estimate",
            "susceptibility_estimate",
            "absolute_magnetization_estimate",
            "binder_cumulant_estimate",
        )
    ],
    "networks.log_partition": lambda: [
        networks.exact_log_partition(rbm) for rbm in (LARGE, machine(9, 30), SMALL, STEEP)
    ],
    "networks.moments": lambda: [networks.exact_moments(rbm) for rbm in (LARGE, SMALL, STEEP)],
    "networks.laws": lambda: [
        networks.visible_law(SMALL).probabilities,
        networks.hidden_law(SMALL).probabilities,
        networks.kl_divergence(LAW, machine(4, 3)),
    ],
    "networks.energies": lambda: [
        SMALL.energy(DATA[:9], spins(9, 5)),
        SMALL.free_energy(DATA[:9]),
        SMALL.free_energy_hidden(spins(9, 5)),
        SMALL.log_likelihood(DATA[:9]),
        SMALL.mean_hidden(DATA[:9]),
        SMALL.mean_visible(spins(9, 5)),
    ],
    "networks.made": lambda: [
        RBM.decimating(Ring(8), 0.5, 2.0),
        RBM.local_ring(6, 0.5),
        RBM.from_binary(grid(4, 3), grid(4), grid(3)),
        SMALL.to_binary(),
        BoltzmannMachine.from_rbm(SMALL),
    ],
    "networks.effective": lambda: [
        networks.effective_coupling(SMALL, [0, 2, 3]),
        networks.effective_couplings(SMALL),
        networks.effective_pairs(machine(12, 5)),
    ],
    "networks.boltzmann": lambda: [
        networks.boltzmann_log_partition(BOLTZMANN, temperature=1.5),
        networks.boltzmann_moments(BOLTZMANN),
        networks.boltzmann_moments(BOLTZMANN, clamped=LAW),
        networks.boltzmann_visible_law(BOLTZMANN),
        networks.boltzmann_kl(BOLTZMANN, LAW),
    ],
    "networks.hopfield": lambda: [
        Hopfield.pseudo_inverse(spins(3, 12)),
        Hopfield(couplings(9), grid(9)).energy(spins(4, 9)),
        Hopfield(couplings(9), grid(9)).flip_cost(spins(4, 9)),
        annealed().energy,
    ],
    "networks.neuron": lambda: [
        Neuron(grid(3), 0.25).gradient(INPUTS, TARGETS),
        Neuron(grid(3), 0.25).log_likelihood(INPUTS, TARGETS),
        *neurons(),
    ],
    "likelihood.ais": lambda: log_partition(LARGE, "ais", n_temperatures=30, n_chains=40, rng=1),
    "likelihood.bracket": lambda: log_partition(
        SMALL, "bracket", n_temperatures=30, n_chains=40, data=DATA, rng=1
    ),
    "training.history": lambda: fit(
        negative=PCD(1, n_chains=8),
        record=("pseudo_likelihood", "kl", "log_likelihood", "reconstruction_error", "weight_norm", "tau"),
    ),
    "training.momentum_float32": lambda: fit(negative=CD(1), optimizer=Momentum(0.05), centred=True),
    "training.held_out": lambda: fit(
        negative=CD(1),
        held_out=DATA[::3],
        stop=training.EarlyStopping("held_out_pseudo_likelihood", 1),
        average=2,
        precision="float64",
    ),
    "training.momentum": lambda: fit(
        negative=CD(1), optimizer=Momentum(0.05, 0.5), l1=0.01, l2=0.02, precision="float64"
    ),
    "training.adam": lambda: fit(
        negative=PCD(1, n_chains=8), optimizer=Adam(0.01), centred=True, precision="float64"
    ),
    "training.tempered": lambda: fit(negative=Tempered(3, k=1, n_chains=8), precision="float64"),
    "training.exact": lambda: fit(negative=Exact(), optimizer=SGD(0.1), centred=True),
    "training.lbfgs": lambda: fit(negative=Exact(), optimizer=LBFGS(memory=5), l2=0.05),
    "training.uniform": lambda: fit(RBM.uniform(7, 3, 0.25), negative=Exact(), tie="uniform"),
    "training.translation": lambda: fit(
        training.tied(machine(6, 6), "translation"), DATA[:, :6], negative=Exact(), tie="translation"
    ),
    "training.masked": lambda: fit(
        training.tied(SMALL, mask=grid(7, 5) > -0.1),
        negative=CD(1),
        mask=grid(7, 5) > -0.1,
        biases=False,
        precision="float64",
    ),
    "training.of_a_law": lambda: fit(machine(4, 3), LAW, negative=CD(1), precision="float64"),
    "training.tied": lambda: [
        training.tied(machine(6, 6), "translation"),
        training.tied(SMALL, "uniform"),
        training.tied(SMALL, mask=grid(7, 5) > 0),
    ],
    "likelihood.coupled": lambda: log_partition(
        BOLTZMANN, "bracket", n_temperatures=30, n_chains=40, burn_in=20, data=spins(5, 4), rng=1
    ),
    "training.boltzmann": lambda: training.fit_boltzmann(BOLTZMANN, LAW, n_steps=3),
    "training.boltzmann_sampled": lambda: training.fit_boltzmann(
        BOLTZMANN, LAW, phases=SampledPhases(20, 4, [3.0, 1.5]), n_steps=3, rng=1
    ),
    "training.cd_fixed_point": lambda: [
        training.cd_fixed_point(RBM.uniform(4, 2, 0.2), LAW, 1, tie="uniform"),
        training.expected_update(machine(4, 3), LAW, 2),
        training.GibbsOperator(machine(4, 3)).push(np.full(16, 1 / 16), 2),
    ],
    "estimator.fitted": estimator,
    "weight.floats": lambda: [
        weight.trained_weight(FLOATS, 8, 4),
        weight.trained_weight(FLOATS, 33, 50),
        weight.trained_weight_derivative([0.1, 1.0, 3.0], 8, 4),
    ],
    "weight.long_rings": lambda: weight.trained_weight([0.01, 0.5, 3.0], 2001, 100),
    "weight.sides": lambda: [
        weight.f([0.1, 0.3], 8, 4),
        weight.g(0.3, [0.1, 1.0], 8),
        weight.kl_uniform(0.3, [0.1, 1.0], 8, 4),
        weight.kl_trained(1.0, 8, 4),
        weight.kl_curvature(1.0, 8, 4),
    ],
    "weight.mixtures": lambda: [
        weight.mixture_weight(RANGE, 8, 4),
        weight.mixture_weight(SET, 8, 4),
        weight.mixture_weight(TemperatureDensity(lambda T: 2.0 + 0 * T, 0.5, 1.5), 8, 4),
        weight.trained_weight_density(lambda T: T, 0.5, 1.5, 8, 4),
        weight.mixture_law(RANGE, 8),
    ],
    "weight.of_data": lambda: [
        weight.trained_weight_from_samples(DATA, 4),
        weight.trained_weight_from_law(Torus(3, 4).magnetization_law(0.3), 5),
    ],
    "weight.ends": lambda: [
        weight.low_temperature_weight(0.2, 8, 4),
        weight.low_temperature_leading_weight(0.2, 8, 4),
        asymptotics.strong_coupling_series(8, 4, 3).weight(3.0),
        asymptotics.weak_coupling_weight(0.01, 8, 4),
        asymptotics.long_ring_gain(0.2, 1000, 500),
    ],
    "flow.orbit": orbit,
    "flow.fixed_points": lambda: flow.fixed_points(machine(6, 4, scale=1 / 32), n_starts=12, rng=1),
    "flow.uniform": lambda: [
        flow.mean_field(RBM.uniform(6, 3, 0.4), spins(4, 6), n_steps=3),
        flow.uniform_map([0.1, 0.9], 0.3, 8, 4),
        flow.uniform_fixed_points(0.3, 8, 4),
        flow.critical_weight(8, 4),
    ],
    "flow.linear": lambda: [flow.spectrum(SMALL), flow.mean_field_jacobian(SMALL, grid(7))],
    "flow.thresholds": lambda: [
        flow.critical_coupling(8, 4),
        flow.critical_coupling(3000, 1500),
        flow.critical_temperature(8, 4),
        flow.critical_parameter(Ring(8).magnetization_law, 4, 0.1, 2.0),
        flow.flow_after_training(TemperatureRange(0.0, 1.5), 8, 4),
    ],
    "rg.maps": lambda: [
        rg.decimation_flow([0.5, 2.0], 4),
        rg.decimation_fixed_points(3),
        rg.decimate_in_field([0.3, 1.0], 0.2),
        rg.migdal_kadanoff_flow([0.2, 0.4], 4),
        rg.migdal_kadanoff_fixed_point(scale_factor=3, dimension=3),
    ],
    "rg.monte_carlo": lambda: rg.renormalization_group(
        sampling.run(
            Torus(16, 16), 0.44, n_chains=16, n_sweeps=20, rule="swendsen_wang", rng=1
        ).spins.reshape(-1, 256),
        (16, 16),
        n_steps=2,
        n_even=2,
        n_odd=1,
        n_blocks=5,
        rng=1,
    ),
    "thermometer.energy": lambda: readings(thermometer.EnergyThermometer(Torus(4, 4))),
    "thermometer.magnetization": lambda: readings(thermometer.magnetization.fit(known())),
    "thermometer.network": network_thermometer,
    "thermometer.null": lambda: thermometer.null_calibration(
        thermometer.EnergyThermometer(Torus(4, 4)), [0.0, 0.5], 5, rng=1
    ),
    "estimate.errors": jackknife,
    "cli.weight": lambda: command("weight 0.5 1 --visible 8 --hidden 4 --format csv"),
    "cli.weight_of_data": lambda: command(
        "weight --data FOLDER/rows.npy --hidden 4 --format json", rows=DATA
    ),
    "cli.mixture": lambda: command("mixture --visible 8 --hidden 4 --range 0.5 1.5 --format csv"),
    "cli.threshold": lambda: command("threshold 8 --hidden 4 --format json"),
    "cli.ising": lambda: command("ising torus 4 --points 5 --format csv"),
    "cli.sample": lambda: command("sample torus 4 --samples 12 --temperatures 0 2 --format csv --out FOLDER"),
    "cli.train": lambda: command(
        "train FOLDER/rows.npy --hidden 3 --epochs 4 --chains 8 -k 1 --format csv --out FOLDER/trained",
        rows=DATA,
    ),
    "experiments.capacity": lambda: command(
        "experiment capacity --units 40 --networks 2 --format csv --out FOLDER"
    ),
    "experiments.torus_threshold": lambda: command(
        "experiment torus_threshold --sides 4 10 --measurements 100 --format csv --out FOLDER"
    ),
    "experiments.weight_map": lambda: files("experiment weight_map --visible 10 --points 6 --out FOLDER"),
    "experiments.seven_steps": seven_steps,
    "experiments.decimation": lambda: stage("decimation"),
    "experiments.counting": lambda: stage("counting"),
    "experiments.weights": lambda: stage("weights"),
    "experiments.ensembles": lambda: stage("ensembles"),
    "experiments.three_flows": lambda: stage("three_flows"),
}


RESULTS = EVERYWHERE | HERE
SINGLE = {
    "training.history",
    "training.momentum_float32",
    "estimator.fitted",
    "thermometer.network",
    "cli.train",
    "experiments.seven_steps",
}
"""What went through float32: elsewhere it is compared to five digits."""
KERNELS = {
    "annealing": ["likelihood.ais", "likelihood.bracket"],
    "block_gibbs": [
        *(f"sampling.block_gibbs_{real}" for real in ("float32", "float64")),
        *(f"training.{phase}_{real}" for phase in ("cd", "pcd") for real in ("float32", "float64")),
    ],
    "boltzmann": ["likelihood.coupled", "sampling.boltzmann_chains"],
    "checkerboard": ["sampling.checkerboard", "sampling.checkerboard_in_a_field"],
    "cluster": ["sampling.wolff", "sampling.swendsen_wang"],
    "enumeration": ["ising.ring_enumerated"],
    "graph_clusters": ["sampling.graph_clusters"],
    "graph_replicas": [
        "sampling.blocks_heat_bath",
        "sampling.blocks_metropolis",
        "sampling.replica_exchange_in_blocks",
    ],
    "hopfield": ["networks.recall", "networks.recall_by_real_couplings"],
    "magnetization": ["ising.laws", "weight.long_rings"],
    "mean_field": ["flow.mean_field"],
    "multispin": [
        "sampling.replicas",
        "sampling.replicas_of_a_ring",
        "sampling.replicas_metropolis",
        "sampling.mixed_replicas",
    ],
    "rbm_partition": ["networks.log_partition", "networks.moments"],
    "ring_sampler": ["ising.ring_samples", "ising.frustrated_samples"],
    "single_spin": ["sampling.graph_heat_bath", "sampling.graph_metropolis", "sampling.chain_of_spins"],
    "uniform_weight": ["weight.floats"],
}
"""What goes through a kernel is computed at every SIMD level. `logistic` is a part of others, `simd` names
levels."""
EXTRAS = {
    "sampling.saved": ("xarray", "h5netcdf", "h5py"),
    "cli.sample": ("xarray", "h5netcdf", "h5py"),
    "weight.certified": ("flint",),
    "estimator.fitted": ("sklearn",),
    "thermometer.network": ("sklearn",),
}


def missing(name):
    return [extra for extra in EXTRAS.get(name, ()) if importlib.util.find_spec(extra) is None]


def leaves(value):
    """Yield the numbers, arrays and texts of a result, and as bytes the names and lengths between them."""
    if is_dataclass(value):
        value = {one.name: getattr(value, one.name) for one in fields(value) if not one.name.startswith("_")}
    if isinstance(value, np.ndarray) and value.dtype.kind not in "biufc":  # of digits, or of text
        value = value.tolist()
    if isinstance(value, dict):
        for name in sorted(value, key=str):
            yield str(name).encode()
            yield from leaves(value[name])
    elif isinstance(value, (list, tuple)):
        yield b"%d of" % len(value)
        for item in value:
            yield from leaves(item)
    else:
        yield value


def content(leaf):
    """Return bytes that say all of a number, an array or a text, and nothing of the machine."""
    if isinstance(leaf, np.ndarray):
        plain = np.ascontiguousarray(leaf, dtype=leaf.dtype.newbyteorder("<"))
        return f"{plain.dtype.str} {leaf.shape} ".encode() + plain.tobytes()
    if isinstance(leaf, (float, np.floating)):
        return float(leaf).hex().encode()
    if isinstance(leaf, (int, np.integer, np.bool_)):
        return str(int(leaf)).encode()
    if hasattr(leaf, "man_exp"):  # of mpmath, whatever integers it computes with
        mantissa, exponent = map(int, leaf.man_exp)
        return (f"{'-' * (leaf < 0)}{mantissa} {exponent}" if mantissa else str(leaf)).encode()
    if leaf is None or isinstance(leaf, (str, bytes, Fraction)):
        return repr(leaf).encode()
    raise TypeError(f"{type(leaf).__name__}: nothing says what its bits are")


def digest(value):
    parts = [content(leaf) for leaf in leaves(value)]
    return hashlib.sha256(b"".join(b"%d " % len(part) + part for part in parts)).hexdigest()


def numbers(value):
    """Return the numbers in a result, those in its texts included."""
    found = []
    for leaf in leaves(value):
        if isinstance(leaf, str):
            found += map(float, re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]\d+)?(?!\w)", leaf))
        elif isinstance(leaf, np.ndarray) and leaf.dtype.kind != "c":
            found += leaf.ravel().tolist()
        elif isinstance(leaf, (int, float, np.number)) or hasattr(leaf, "man_exp"):
            found.append(int(leaf) if isinstance(leaf, (int, np.integer)) else float(leaf))
    return found


def shown(value):
    """Return a few of the numbers in a result, from the first to the last."""
    found = numbers(value)
    return [found[place] for place in np.linspace(0, len(found) - 1, min(len(found), SHOWN)).astype(int)]


@functools.cache
def arithmetic():
    """Return what the last bits of floats depend on beside this package."""
    import scipy
    from scipy import linalg, special

    x = np.linspace(0.01, 5.0, 301)
    A, small = grid(35, 35), x.astype(np.float32)
    named = ("exp", "expm1", "log", "log1p", "tanh", "sinh", "cosh")
    probes = [
        *(getattr(np, name)(y) for name in named for y in (x, small)),
        *([getattr(math, name)(one) for one in x.tolist()] for name in named),
        [np.arctanh(x / 6), np.arcsinh(x), np.logaddexp(x, 1.0), x**0.3, np.fft.rfft(x), special.gammaln(x)],
        [
            A @ A,
            A @ A[0],
            A[0] @ A[1],
            (A @ A).astype(np.float32) @ A.astype(np.float32),
            A[:9, :7].T @ A[:9, :5],
        ],
        [np.linalg.svd(A)[1], np.linalg.eigvals(A[:6, :6]), np.linalg.solve(A + 9 * np.eye(35), A[0])],
        [linalg.eigvalsh(A + A.T), sum([0.1] * 10)],
    ]
    try:
        learn = version("scikit-learn")
    except PackageNotFoundError:
        learn = "absent"
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": learn,
        "features": np.show_config(mode="dicts").get("SIMD Extensions"),
        "probes": digest(probes),
    }


@functools.cache
def reference():
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


CASES = [
    (name, level)
    for name in RESULTS
    for level in (LEVELS if not FORCED and any(name in reached for reached in KERNELS.values()) else ["best"])
]


@pytest.mark.parametrize(("name", "level"), CASES, ids=[f"{name}-{level}" for name, level in CASES])
def test_the_bits_are_those_of_before(name, level, monkeypatch):
    if missing(name):
        pytest.skip(f"an extra is absent: {', '.join(missing(name))}")
    if level in LEVELS:
        monkeypatch.setenv("RBMFLOW_SIMD", level)
        try:
            Ring(3).enumerate(n_threads=1)
        except ValueError as error:
            if level == "plain" or "RBMFLOW_SIMD" not in str(error):
                raise
            pytest.skip(str(error))
    before, value = reference()["results"][name], RESULTS[name]()
    now = shown(value)
    if name in EVERYWHERE or arithmetic() == reference()["arithmetic"]:
        assert digest(value) == before["sha256"], (
            f"{name} is not what it was; some of its numbers are {now}, these were {before['shown']}"
        )
    else:
        rel = 1e-5 if name in SINGLE else 1e-10
        assert now == pytest.approx(before["shown"], rel=rel, abs=1e-12, nan_ok=True), name


def test_floats_are_compared_bit_for_bit():
    here, there = arithmetic(), reference()["arithmetic"]
    other = [name for name in there if here[name] != there[name]]
    if other:
        pytest.skip(
            f"floats are compared to some digits, as these are not those of the digests: {', '.join(other)}"
        )


def test_every_result_has_a_digest():
    assert [*reference()["results"]] == sorted(RESULTS), "python -m tests.test_digests writes them"
    assert not EVERYWHERE.keys() & HERE.keys()
    assert HERE.keys() >= SINGLE
    assert {name for reached in KERNELS.values() for name in reached} <= RESULTS.keys()


def write():
    """Write the digests of the present results, the whole file or none of it."""
    absent = sorted({extra for name in RESULTS for extra in missing(name)})
    if absent:
        raise SystemExit(f"{', '.join(absent)}: all extras are needed, or digests would be lost")
    results = {}
    for name in sorted(RESULTS):
        value = RESULTS[name]()
        results[name] = {"sha256": digest(value), "shown": shown(value)}
    note = "Results as they were; tests/test_digests.py says how they are compared and written."
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in results.items())
    head = f' "note": {json.dumps(note)},\n "arithmetic": {json.dumps(arithmetic())},\n'
    text = f'{{\n{head} "results": {{\n{lines}\n }}\n}}\n'
    temporary = REFERENCE.with_suffix(".partial")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(REFERENCE)


if __name__ == "__main__":
    write()
