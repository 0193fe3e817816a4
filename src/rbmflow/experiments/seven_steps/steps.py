"""The steps of the experiment of Iso, Shiba and Yokoo for one seed.

Data, thermometers, training, flows and their temperatures.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow import flow, thermometer
from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.experiments.seven_steps.parameters import MAPS, Parameters
from rbmflow.experiments.tasks import one_thread
from rbmflow.ising.bonds import aligned_energy
from rbmflow.ising.ground_states import ground_states
from rbmflow.ising.mean_field import mean_field_magnetization
from rbmflow.networks import RBM
from rbmflow.reading import check_names
from rbmflow.sampling import TrainingSet, training_set
from rbmflow.spins import check_spins
from rbmflow.training import SGD, fit
from rbmflow.weight import trained_weight_from_samples

NULL_MAGNETIZATIONS = tuple(k / 20 for k in range(21))
START_SCALE = 0.01
"""Standard deviation of the weights before training."""
SETTLE_STEPS, SETTLE_ROWS = 500, 100
"""Steps of the mean-field flow until an orbit counts as settled, and configurations followed so long."""


@dataclass(frozen=True)
class Prepared:
    """Data and thermometers of one seed.

    Attributes
    ----------
    data : TrainingSet
        What machines and thermometers learn from.
    starts : numpy.ndarray of int8, shape (n_starts, n_flow, n_sites)
        Fresh configurations at which flows begin.
    thermometers : dict of str to Thermometer
        By name.
    measured : dict of str to numpy.ndarray
        Calibration of each thermometer on fresh configurations, and its reading of uncorrelated spins.
    seconds : dict of str to float
        Time taken for ``"data"`` and ``"thermometers"``.
    """

    data: TrainingSet
    starts: SpinArray
    thermometers: dict[str, Any]
    measured: dict[str, FloatArray]
    seconds: dict[str, float]

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what machines need of it, by name: spins, starts, and what the network has learned."""
        arrays: dict[str, npt.NDArray[Any]] = {"spins": self.data.spins, "starts": self.starts}
        network = self.thermometers.get("network_mean")
        if network is not None:
            for kind in ("weights", "biases"):
                arrays |= {f"{kind}{layer}": array for layer, array in enumerate(getattr(network, kind))}
        return arrays

    @classmethod
    def from_arrays(cls, parameters: Parameters, arrays: dict[str, npt.NDArray[Any]]) -> Prepared:
        """Return what `to_arrays` gave, without the calibrations: the same bits for the machines."""
        n_layers = sum(key.startswith("weights") for key in arrays)
        layers = [f"{kind}{layer}" for layer in range(n_layers) for kind in ("weights", "biases")]
        check_names("what is prepared", arrays, {"spins", "starts", *layers})
        T, n_sites = np.array(parameters.temperatures), parameters.lattice.n_sites
        for name, rows in (
            ("spins", (len(T), parameters.n_samples)),
            ("starts", (len(parameters.starts), parameters.n_flow)),
        ):
            if arrays[name].dtype != np.int8 or arrays[name].shape != (*rows, n_sites):
                raise ValueError(
                    f"{name} is {arrays[name].dtype} of shape {arrays[name].shape}: "
                    f"int8 of {(*rows, n_sites)} is needed"
                )
            check_spins(name, arrays[name])
        if any(arrays[name].dtype != np.float64 for name in layers) or bool(layers) != (
            "network" in parameters.thermometers
        ):
            raise ValueError(
                f"{', '.join(layers) or 'no layers'}: float64 is needed, where the network is a thermometer"
            )
        data = TrainingSet(parameters.lattice, arrays["spins"], T, (), {})
        made: dict[str, Any] = {}
        for name in parameters.thermometers:
            if name != "network":
                made |= _thermometers(name, parameters, data, np.random.default_rng(0))
                continue
            weights, biases = (
                tuple(arrays[f"{kind}{layer}"] for layer in range(n_layers)) for kind in ("weights", "biases")
            )
            made |= _read_outs(thermometer.NetworkThermometer(parameters.lattice, T, weights, biases))
        return cls(data, arrays["starts"], made, {}, {})


def prepare(parameters: Parameters, rng: np.random.Generator) -> Prepared:
    """Draw the data of one seed and make its thermometers (steps 1, 2 and 6 of the experiment)."""
    sources = rng.spawn(3)
    begin = time.perf_counter()
    with one_thread():
        data, fresh, starts = _draw(parameters, sources[0])
        drawn = time.perf_counter()
        made: dict[str, Any] = {}
        for name in parameters.thermometers:
            made |= _thermometers(name, parameters, data, sources[1])
        measured: dict[str, FloatArray] = {}
        for name, one in made.items():
            curve = one.calibrate(fresh)
            measured[f"{name}_reading"], measured[f"{name}_resolution"] = curve.reading, curve.resolution
            null = thermometer.null_calibration(one, NULL_MAGNETIZATIONS, parameters.n_flow, rng=sources[2])
            measured[f"{name}_null"] = null.reading
    seconds = {"data": drawn - begin, "thermometers": time.perf_counter() - drawn}
    return Prepared(data, starts, made, measured, seconds)


def _draw(parameters: Parameters, rng: np.random.Generator) -> tuple[TrainingSet, TrainingSet, SpinArray]:
    """Return the data, fresh configurations at the same temperatures, and those at which flows start."""
    levels = sorted({*parameters.temperatures, *parameters.starts})
    drawn = training_set(
        parameters.lattice, levels, parameters.n_samples + parameters.n_flow, rng=rng, n_threads=1
    )
    n = parameters.n_samples
    places = [levels.index(T) for T in parameters.temperatures]
    data, fresh = (
        replace(
            drawn,
            spins=np.ascontiguousarray(part[places]),
            temperature=drawn.temperature[places],
            certificate=tuple(drawn.certificate[place] for place in places),
        )
        for part in (drawn.spins[:, :n], drawn.spins[:, n:])
    )
    return data, fresh, drawn.spins[[levels.index(T) for T in parameters.starts], n:]


def _thermometers(
    name: str, parameters: Parameters, data: TrainingSet, rng: np.random.Generator
) -> dict[str, thermometer.Thermometer]:
    if name == "energy":
        return {name: thermometer.energy.fit(data)}
    if name == "magnetization":
        return {name: thermometer.magnetization.fit(data)}
    network = thermometer.network.fit(data, n_epochs=parameters.network_epochs, rng=rng)
    return _read_outs(network)


def _read_outs(network: thermometer.NetworkThermometer) -> dict[str, thermometer.Thermometer]:
    return {
        "network_mean": replace(network, read_out="mean"),
        "network_peak": replace(network, read_out="peak"),
        "network_per_sample": replace(network, read_out="per-sample"),
    }


def rows_of(kind: str, parameters: Parameters, data: TrainingSet, rng: np.random.Generator) -> SpinArray:
    """Return the configurations of a training set."""
    n, n_sites = parameters.n_samples, data.spins.shape[-1]
    if kind == "V":
        return data.configurations
    if kind == "H":
        return data.spins[data.temperature >= parameters.hot_from].reshape(-1, n_sites)
    ground = ground_states(parameters.lattice)
    n_parts = 1 if ground is None else len(ground.free)
    coins = np.where(rng.random((n, n_parts)) < 0.5, 1, -1)
    cold = coins * np.ones(n_sites, dtype=int) if ground is None else ground.turned(coins)
    if kind == "L":
        return cold.astype(np.int8)
    if kind == "ends":
        hot = np.where(rng.random((n, n_sites)) < 0.5, 1, -1)
        return np.concatenate([cold, hot]).astype(np.int8)
    of_neighbours = -2 * aligned_energy(parameters.lattice)[0]
    m = [mean_field_magnetization(T, of_neighbours) for T in parameters.temperatures]
    spins = independent_spins(np.repeat(m, n), n_sites, rng)
    return (spins * np.where(rng.random((len(spins), 1)) < 0.5, 1, -1)).astype(np.int8)


def independent_spins(
    means: npt.NDArray[np.float64], n_sites: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return a row of spins for each mean, drawn independently."""
    return np.where(2 * rng.random((len(means), n_sites)) - 1 < np.asarray(means)[:, None], 1, -1)


def snapshots_of(parameters: Parameters, n_rows: int) -> npt.NDArray[np.int64]:
    """Return the epochs after which a machine trained on so many rows is looked at, the last included."""
    n_epochs = -(-parameters.n_updates // -(-n_rows // parameters.batch_size))
    return np.rint(np.geomspace(1, n_epochs, parameters.n_snapshots)).astype(np.int64)


def machine(
    parameters: Parameters, prepared: Prepared, kind: str, n_hidden: int, rng: np.random.Generator
) -> tuple[dict[str, Any], dict[str, float]]:
    """Train one machine and let configurations flow through it (steps 3, 4, 5 and 7 of the experiment).

    Returns
    -------
    dict of str to numpy.ndarray
        ``weights``, ``visible_bias``, ``hidden_bias``; over snapshots ``epoch``, ``singular_values``,
        ``participation``, ``settled`` (|m| of the mean-field flow from the first start, when it has settled),
        ``pseudo_likelihood``, ``reconstruction_error``; ``uniform_weight`` and ``uniform_settled``, the
        trained weight of a uniform machine and |m| at its fixed point; and for each quantity along the flows
        its mean and, as ``…_stderr``, its standard error over (map, start, step).
    dict of str to float
        Seconds of ``"training"`` and ``"flows"``.
    """
    data_rng, start_rng, fit_rng, flow_rng = rng.spawn(4)
    begin = time.perf_counter()
    with one_thread():
        rows = rows_of(kind, parameters, prepared.data, data_rng)
        found = _trained(parameters, prepared, rows, n_hidden, start_rng, fit_rng) | _uniform(rows, n_hidden)
        rbm = RBM(found["weights"], found["visible_bias"], found["hidden_bias"])
        trained = time.perf_counter()
        found |= _flows(parameters, prepared, rbm, flow_rng)
    return found, {"training": trained - begin, "flows": time.perf_counter() - trained}


def _trained(
    parameters: Parameters,
    prepared: Prepared,
    rows: SpinArray,
    n_hidden: int,
    start_rng: np.random.Generator,
    fit_rng: np.random.Generator,
) -> dict[str, Any]:
    rbm = RBM(start_rng.normal(0.0, START_SCALE, (rows.shape[1], n_hidden)))
    state, before, along = None, 0, []
    epochs = snapshots_of(parameters, len(rows))
    for epoch in epochs.tolist():
        trained = fit(
            rbm,
            rows,
            negative=parameters.phase(),
            optimizer=SGD(parameters.learning_rate),
            n_epochs=epoch - before,
            batch_size=parameters.batch_size,
            state=state,
            rng=fit_rng,
            record=("pseudo_likelihood", "reconstruction_error"),
            record_every=epoch,
        )
        rbm, state, before = trained.model, trained.state, epoch
        modes = flow.spectrum(rbm)
        along.append((modes.singular_values, modes.visible_participation, _settled(rbm, prepared.starts[0])))
    singular_values, participation, settled = zip(*along, strict=True)
    history = trained.history
    seen = [history["epoch"].tolist().index(epoch) for epoch in epochs]
    return {
        "weights": rbm.weights,
        "visible_bias": rbm.visible_bias,
        "hidden_bias": rbm.hidden_bias,
        "epoch": epochs,
        "singular_values": np.array(singular_values),
        "participation": np.array(participation),
        "settled": np.array(settled),
        "pseudo_likelihood": history["pseudo_likelihood"][seen],
        "reconstruction_error": history["reconstruction_error"][seen],
    }


def _uniform(rows: SpinArray, n_hidden: int) -> dict[str, float]:
    """The equal weight that fits the same rows best, and |m| at the fixed point of that machine."""
    W = trained_weight_from_samples(rows, n_hidden).mean
    m = flow.uniform_fixed_points(W, rows.shape[1], n_hidden).magnetization[-1]
    return {"uniform_weight": W, "uniform_settled": m}


def _settled(rbm: RBM, start: SpinArray) -> float:
    """|m| at the end of the mean-field flow."""
    v = flow.mean_field(rbm, start[:SETTLE_ROWS], n_steps=SETTLE_STEPS, n_threads=1)
    return float(np.abs(v.mean(axis=1)).mean())


def _flows(
    parameters: Parameters, prepared: Prepared, rbm: RBM, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Observables and temperatures along every flow, over (map, start, step)."""
    observables = flow.lattice_observables(parameters.lattice, parameters.distances)
    shape = (len(parameters.maps), len(parameters.starts), parameters.n_steps + 1)
    found: dict[str, FloatArray] = {}

    def note(name: str, place: tuple[int, int, int], estimate: Any) -> None:
        for key, value in ((name, estimate.mean), (f"{name}_stderr", estimate.stderr)):
            found.setdefault(key, np.full(shape, np.nan))[place] = value

    for i, name in enumerate(parameters.maps):
        for j, start in enumerate(prepared.starts):

            def read(step: int, batch: Any, i: int = i, j: int = j) -> None:
                for kind, one in prepared.thermometers.items():
                    note(f"temperature_{kind}", (i, j, step), one.estimate(batch))

            path = flow.orbit(
                MAPS[name],
                rbm,
                start,
                parameters.n_steps,
                observables=observables,
                rng=rng.spawn(1)[0],
                callback=read,
            )
            for quantity, series in path.observables.items():
                for step, estimate in enumerate(series):
                    note(quantity, (i, j, step), estimate)
    return found
