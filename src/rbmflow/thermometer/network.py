"""The thermometer of Iso, Shiba and Yokoo: a perceptron that was taught the temperatures of configurations.

A configuration goes through layers of tanh units to a softmax over the temperatures of the training set:
100-64-25 for their 10 × 10 lattice (Phys. Rev. E 97, 053304). What it has learned to look at is not told;
`null_calibration` shows that it reads, mostly, the magnetization.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from rbmflow.arguments import (
    MAX_STEPS,
    FloatArray,
    SpinArray,
    check_choice,
    check_integer,
    check_real_scalar,
    check_rng,
    shown,
)
from rbmflow.estimate import Estimate
from rbmflow.ising.lattice import Lattice
from rbmflow.records import Record
from rbmflow.sampling.spacing import independent
from rbmflow.sampling.topology import check_lattice
from rbmflow.thermometer.arguments import as_floats, check_configurations, check_curve
from rbmflow.thermometer.calibration import Calibration, calibrate, spread
from rbmflow.thermometer.perceptron import train_perceptron
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.sampling import TrainingSet
    from rbmflow.typing import ArrayLike, RNGLike

ReadOut = Literal["peak", "mean", "per-sample"]
READ_OUTS: tuple[ReadOut, ...] = ("peak", "mean", "per-sample")
MAX_BLOCKS = 10
"""Parts of a batch whose peaks show the scatter of its own."""


@dataclass(frozen=True, eq=False)
class NetworkThermometer(Record):
    """A trained multilayer perceptron, and how its output is read; `fit` makes it.

    Another read-out of the same network is ``dataclasses.replace(meter, read_out="peak")``.

    Attributes
    ----------
    lattice : Lattice
        Where the spins are.
    temperature : numpy.ndarray of float64, shape (n_temperatures,)
        Those that it was taught, in units of J/k_B.
    weights : tuple of numpy.ndarray
        From layer to layer, shape ``(n_units_before, n_units_after)``.
    biases : tuple of numpy.ndarray
        Of each layer after the first.
    read_out : {"mean", "peak", "per-sample"}
        ``"mean"``: the mean over the batch of the expected temperature ``Σ p(T) T`` of each configuration.
        ``"peak"``: the temperature of the largest probability, averaged over the batch, as in the literature.
        ``"per-sample"``: the mean of the most probable temperature of each configuration.
    accuracy : float
        Share of the configurations held out whose most probable temperature is the true one;
        NaN if there were none.
    training_accuracy : float
        The same of those trained on.
    loss : numpy.ndarray of float64, shape (n_epochs,)
        Mean cross-entropy of each epoch in nats, with the penalty.

    See Also
    --------
    EnergyThermometer : Nothing is learned.
    null_calibration : What a reading is worth.

    References
    ----------
    S. Iso, S. Shiba and S. Yokoo, Phys. Rev. E 97, 053304 (2018).
    """

    lattice: Lattice
    temperature: FloatArray
    weights: tuple[FloatArray, ...] = field(repr=False)
    biases: tuple[FloatArray, ...] = field(repr=False)
    read_out: ReadOut = "mean"
    accuracy: float = float("nan")
    training_accuracy: float = float("nan")
    loss: FloatArray = field(default_factory=lambda: np.empty(0), repr=False)

    def __post_init__(self) -> None:
        check_lattice(self.lattice)
        check_choice("read_out", self.read_out, READ_OUTS)
        object.__setattr__(self, "temperature", as_floats("temperature", self.temperature))
        sizes = [self.lattice.n_sites, *(np.size(biases) for biases in self.biases)]
        shapes = [np.shape(weights) for weights in self.weights]
        if not shapes or shapes != [*pairwise(sizes)] or sizes[-1] != len(self.temperature):
            raise ValueError(
                f"weights of shapes {shown(shapes)}, biases {shown(sizes[1:])}: layers from "
                f"{self.lattice.n_sites} sites to {len(self.temperature)} temperatures are needed"
            )
        if not all(np.isfinite(one).all() for one in (*self.weights, *self.biases)):
            raise ValueError("weights or biases hold NaN or an infinity: finite numbers are needed")

    def probabilities(self, configurations: ArrayLike) -> FloatArray:
        """Return the probability of each temperature, averaged over a batch.

        Parameters
        ----------
        configurations : array_like, shape (n, n_sites)
            Spins, or means between −1 and 1.

        Returns
        -------
        numpy.ndarray of float64, shape (n_temperatures,)
            They add up to 1.

        Examples
        --------
        >>> from rbmflow import Ring, training_set
        >>> meter = fit(training_set(Ring(8), [0.5, 3.0], 200, rng=1), batch_size=20, rng=1)
        >>> cold, hot = meter.probabilities([[1] * 8])
        >>> cold > hot
        np.True_
        """
        return np.asarray(self._probabilities(configurations).mean(axis=0))

    def histogram(self, configurations: ArrayLike) -> FloatArray:
        """Return the share of a batch for which each temperature is the most probable one.

        Parameters
        ----------
        configurations : array_like, shape (n, n_sites)
            Spins, or means between −1 and 1.

        Returns
        -------
        numpy.ndarray of float64, shape (n_temperatures,)
            They add up to 1.

        Examples
        --------
        >>> from rbmflow import Ring, training_set
        >>> meter = fit(training_set(Ring(8), [0.5, 3.0], 200, rng=1), batch_size=20, rng=1)
        >>> meter.histogram([[1] * 8])
        array([1., 0.])
        """
        peaks = self._probabilities(configurations).argmax(axis=1)
        return np.bincount(peaks, minlength=len(self.temperature)) / len(peaks)

    def estimate(self, configurations: ArrayLike) -> Estimate:
        """Return the temperature of a batch by the read-out.

        The standard error of a mean is from the scatter within the batch. That of the peak, which is one of
        the temperatures taught, adds up the width of its cell between their midpoints, over √12, and the
        scatter of the peaks of ten parts of the batch. No error covers the bias, for which see `calibrate`.

        Parameters
        ----------
        configurations : array_like, shape (n, n_sites)
            Independent configurations: spins, or means between −1 and 1.

        Returns
        -------
        Estimate
            Temperature in J/k_B, within the range taught.

        Examples
        --------
        >>> from rbmflow import Ring, training_set
        >>> meter = fit(training_set(Ring(8), [0.5, 3.0], 200, rng=1), batch_size=20, rng=1)
        >>> meter.estimate([[1] * 8, [-1] * 8]).mean < 1.0
        True
        """
        outputs = self._probabilities(configurations)
        return self._peak(outputs) if self.read_out == "peak" else independent(self._single(outputs))

    def readings(self, configurations: ArrayLike) -> FloatArray:
        """Return each configuration's temperature: the expected one for "mean", else the most probable one.

        Parameters
        ----------
        configurations : array_like, shape (n, n_sites)
            Spins, or means between −1 and 1.

        Returns
        -------
        numpy.ndarray of float64, shape (n,)
            In units of J/k_B.

        Examples
        --------
        >>> from dataclasses import replace
        >>> from rbmflow import Ring, training_set
        >>> meter = fit(training_set(Ring(8), [0.5, 3.0], 200, rng=1), batch_size=20, rng=1)
        >>> replace(meter, read_out="peak").readings([[1] * 8, [1, -1] * 4])
        array([0.5, 3. ])
        """
        return self._single(self._probabilities(configurations))

    def calibrate(self, training_set: TrainingSet) -> Calibration:
        """Return the readings at each temperature; the resolution is the spread of single configurations.

        Parameters
        ----------
        training_set : TrainingSet
            Of the same lattice; not the one it was trained on.

        Returns
        -------
        Calibration
            A row for each temperature.

        Examples
        --------
        >>> from rbmflow import Ring, training_set
        >>> meter = fit(training_set(Ring(8), [0.5, 3.0], 200, rng=1), batch_size=20, rng=1)
        >>> known = training_set(Ring(8), [0.5, 1.0, 3.0], 200, rng=2)
        >>> (np.diff(meter.calibrate(known).reading) > 0).all()
        np.True_
        """
        return calibrate(self, training_set, lambda _, spins: spread(self.readings(spins)))

    def _probabilities(self, configurations: object) -> FloatArray:
        """Softmax output for each row."""
        activation = check_configurations(configurations, self.lattice.n_sites)
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            activation = np.tanh(activation @ weights + biases)
        field = activation @ self.weights[-1] + self.biases[-1]
        field -= field.max(axis=1, keepdims=True)
        np.exp(field, out=field)
        return np.asarray(field / field.sum(axis=1, keepdims=True))

    def _single(self, outputs: FloatArray) -> FloatArray:
        if self.read_out == "mean":
            return np.asarray(outputs @ self.temperature)
        return np.asarray(self.temperature[outputs.argmax(axis=1)])

    def _peak(self, outputs: FloatArray) -> Estimate:
        levels, n = self.temperature, len(outputs)
        place = int(outputs.mean(axis=0).argmax())
        parts = np.array_split(outputs, min(MAX_BLOCKS, n))
        peaks = np.array([levels[part.mean(axis=0).argmax()] for part in parts])
        scatter = independent(peaks).stderr if len(peaks) > 1 else 0.0
        cell = np.gradient(levels)[
            place
        ]  # half the distance between its neighbours, the whole one to the only neighbour at an end
        return Estimate(
            float(levels[place]), float(np.hypot(cell / np.sqrt(12), scatter)), 0.5, float(n), float("nan")
        )


def fit(
    training_set: TrainingSet,
    *,
    hidden: tuple[int, ...] = (64,),
    n_epochs: int = 50,
    batch_size: int = 200,
    learning_rate: float = 1e-3,
    weight_decay: float = 1e-4,
    held_out: float = 0.1,
    read_out: ReadOut = "mean",
    rng: RNGLike = None,
    progress: Progress | None = None,
) -> NetworkThermometer:
    """Train a multilayer perceptron to tell the temperatures of a training set apart.

    scikit-learn's `MLPClassifier` of tanh units with Adam, cross-entropy and a softmax, for a fixed number of
    epochs. Part of each temperature's configurations is held out, and only measures the accuracy.

    Parameters
    ----------
    training_set : TrainingSet
        At least two finite temperatures, which increase.
    hidden : tuple of int
        Units of each hidden layer.
    n_epochs : int
        Passes through the configurations.
    batch_size : int
        Configurations to a step.
    learning_rate : float
        Of Adam, above 0.
    weight_decay : float
        Coefficient of the L2 penalty, 0 or more.
    held_out : float
        Share of the configurations at each temperature that is not trained on, from 0 to below 1.
    read_out : {"mean", "peak", "per-sample"}
        See `NetworkThermometer`.
    rng : numpy.random.Generator or int
        Generator or seed.
    progress : callable, optional
        Called as ``progress(done, total)`` in epochs.

    Returns
    -------
    NetworkThermometer
        Which needs no scikit-learn any more.

    Raises
    ------
    ImportError
        Without the extra ``learn`` (scikit-learn).

    Notes
    -----
    Temperatures overlap. Of the 25 of the experiment, T = 0, 0.25, …, 6 on the 10 × 10 torus, the best
    classifier, which the exact density of states gives, finds the true one for 18.8 % of the configurations;
    networks trained on 1000 of each find it for 14 % of fresh ones.

    Examples
    --------
    >>> from rbmflow import Ring, training_set
    >>> meter = fit(training_set(Ring(8), [0.5, 3.0], 200, rng=1), batch_size=20, rng=1)
    >>> [weights.shape for weights in meter.weights], meter.accuracy > 0.7
    ([(8, 64), (64, 2)], True)
    """
    known = check_curve(training_set)
    layers = _check_layers(hidden)
    n_epochs, progress = check_integer("n_epochs", n_epochs, 1, MAX_STEPS), check_progress(progress)
    batch_size = check_integer("batch_size", batch_size, 1)
    rate, decay = (
        check_real_scalar("learning_rate", learning_rate),
        check_real_scalar("weight_decay", weight_decay),
    )
    if not 0 < rate < np.inf:
        raise ValueError(f"learning_rate={shown(learning_rate)}: a finite number above 0 is needed")
    if not 0 <= decay < np.inf:
        raise ValueError(f"weight_decay={shown(weight_decay)}: a finite number of at least 0 is needed")
    check_choice("read_out", read_out, READ_OUTS)
    share = check_real_scalar("held_out", held_out)
    if not 0 <= share < 1:
        raise ValueError(f"held_out={shown(held_out)}: a share from 0 to below 1 is needed")
    n_samples = known.spins.shape[1]
    n_held = int(share * n_samples)
    source = check_rng(rng)
    order = source.permuted(np.tile(np.arange(n_samples), (len(known.temperature), 1)), axis=1)
    spins = np.take_along_axis(known.spins, order[:, :, np.newaxis], axis=1)
    learned, held = spins[:, n_held:], spins[:, :n_held]
    network, loss = train_perceptron(learned, layers, n_epochs, batch_size, rate, decay, source, progress)
    meter = NetworkThermometer(
        known.lattice,
        known.temperature,
        (*network.coefs_[:-1], _softmax_form(network.coefs_[-1])),
        (*network.intercepts_[:-1], _softmax_form(network.intercepts_[-1])),
        read_out,
        loss=loss,
    )
    return replace(meter, accuracy=_accuracy(meter, held), training_accuracy=_accuracy(meter, learned))


def _check_layers(hidden: object) -> list[int]:
    if not isinstance(hidden, (tuple, list)) or not hidden:
        raise TypeError(f"hidden={shown(hidden)}: a tuple of layer sizes is needed, as (64,)")
    return [check_integer(f"hidden[{k}]", size, 1) for k, size in enumerate(hidden)]


def _softmax_form(last: FloatArray) -> FloatArray:
    """Two temperatures share one logistic output, of the second: as two outputs whose difference it is."""
    return np.concatenate([np.zeros_like(last), last], axis=-1) if last.shape[-1] == 1 else last


def _accuracy(meter: NetworkThermometer, spins: SpinArray) -> float:
    if not spins.size:
        return float("nan")
    hits = [meter.histogram(batch)[place] for place, batch in enumerate(spins)]
    return float(np.mean(hits))
