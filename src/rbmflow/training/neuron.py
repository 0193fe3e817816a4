"""Learning of the single neuron: gradient descent on G, or an optimiser of scipy.

A descent takes batches or single examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rbmflow.arguments import MAX_STEPS, FloatArray, check_choice, check_integer, check_rng, shown
from rbmflow.networks.neuron import Neuron, check_training_set, cross_entropy, shortfall
from rbmflow.networks.parameters import finite_number, positive_number
from rbmflow.records import Record
from rbmflow.training.separation import warn_without_minimum

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

Method = Literal["batch", "stochastic", "BFGS", "L-BFGS-B", "CG", "Newton-CG"]
SCIPY_METHODS: tuple[Method, ...] = ("BFGS", "L-BFGS-B", "CG", "Newton-CG")
METHODS: tuple[Method, ...] = ("batch", "stochastic", *SCIPY_METHODS)


@dataclass(frozen=True, eq=False)
class NeuronFit(Record):
    """A neuron after learning.

    Attributes
    ----------
    neuron : Neuron
        The last weights and bias.
    history : numpy.ndarray, shape (n_epochs + 1,)
        ``G + decay |w|²/2`` before the first epoch and after each, in nats.
    converged : bool
        Whether the largest derivative, divided by the number of examples, fell to `tolerance`.
    n_epochs : int
        Epochs done: passes through the training set, or iterations of scipy.
    """

    neuron: Neuron
    history: FloatArray
    converged: bool
    n_epochs: int


def fit_neuron(
    inputs: ArrayLike,
    targets: ArrayLike,
    *,
    initial: Neuron | None = None,
    method: Method = "batch",
    learning_rate: float = 0.5,
    batch_size: int = 1,
    n_epochs: int = 1000,
    decay: float = 0.0,
    tolerance: float = 1e-8,
    rng: RNGLike = None,
) -> NeuronFit:
    """Learn weights and bias by descent on G (thesis eq. 3, 10).

    A step is ``w ← w + η Σ (t − y) x / n`` over the n examples of the batch, the bias being the weight
    of an input 1; with weight decay λ the error is ``G + λ |w|²/2``, the bias apart. Where a plane
    separates the targets G has no minimum: its infimum 0 is approached as the weights grow, and only
    decay gives a fixed point; where all targets are equal so does the bias, which has no decay. Which λ the
    data speak for tells `neuron_evidence`.

    Parameters
    ----------
    inputs : array_like, shape (n, n_inputs)
        The training set.
    targets : array_like, shape (n,)
        0 or 1.
    initial : Neuron, optional
        Where to start; zero weights and bias by default. G is convex: the start does not
        decide where a descent ends.
    method : str
        ``"batch"``, all examples in each step; ``"stochastic"``, `batch_size` of them, in a new random order
        every epoch; or an optimiser of scipy: ``"BFGS"``, ``"L-BFGS-B"``, ``"CG"``, ``"Newton-CG"``.
    learning_rate : float
        η > 0 of the two descents, whose largest stable value falls with the square of the inputs.
    batch_size : int
        Examples to a stochastic step; the last of an epoch takes what is left.
    n_epochs : int
        The most epochs, at least 1.
    decay : float
        λ ≥ 0.
    tolerance : float
        Stop when no derivative divided by n is larger; 0 does all epochs.
    rng : numpy.random.Generator or int
        Of the order of examples; used by ``"stochastic"`` only.

    Returns
    -------
    NeuronFit
        The neuron and the error along the way.

    Warns
    -----
    ConvergenceWarning
        If the error has no minimum: a plane separates the targets and there is no decay, or all of them are
        equal. Planes on which some examples lie are looked for among up to a million numbers in `inputs`.

    See Also
    --------
    rbmflow.networks.Neuron : What is trained.
    neuron_evidence : Choose the decay.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 3-10.

    Examples
    --------
    >>> x, t = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]
    >>> fit = fit_neuron(x, t, method="Newton-CG")
    >>> fit.converged, round(float(fit.neuron.output([1.5])), 9)
    (True, 0.5)
    """
    if initial is not None and not isinstance(initial, Neuron):
        raise TypeError(f"initial={shown(initial)}: a Neuron is needed")
    x, t = check_training_set(inputs, targets, initial.n_inputs if initial else None)
    check_choice("method", method, METHODS)
    rate = positive_number("learning_rate", learning_rate)
    batch_size = check_integer("batch_size", batch_size, 1)
    n_epochs = check_integer("n_epochs", n_epochs, 1, MAX_STEPS)
    if finite_number("decay", decay) < 0 or finite_number("tolerance", tolerance) < 0:
        raise ValueError(
            f"decay={shown(decay)}, tolerance={shown(tolerance)}: numbers of at least 0 are needed"
        )
    start = initial or Neuron(np.zeros(x.shape[1]))
    problem = _Problem(
        np.column_stack([x, np.ones(len(x))]), t, np.append(np.full(x.shape[1], float(decay)), 0.0)
    )
    w = np.append(start.weights, start.bias)
    if method in SCIPY_METHODS:
        found = _minimise(problem, w, method, n_epochs, float(tolerance))
    else:
        generator = check_rng(rng) if method == "stochastic" else None
        found = _descend(problem, w, rate, batch_size, n_epochs, float(tolerance), generator)
    last = np.append(found.neuron.weights, found.neuron.bias)
    warn_without_minimum(problem.x, t, last, has_decay=bool(decay), converged=found.converged)
    return found


@dataclass(frozen=True, eq=False)
class _Problem:
    """G with decay, of the weights and the bias as one vector."""

    x: FloatArray
    t: FloatArray
    decay: FloatArray

    def error(self, w: FloatArray) -> float:
        return cross_entropy(self.x @ w, self.t) + float(self.decay @ w**2) / 2

    def gradient(self, w: FloatArray) -> FloatArray:
        return np.asarray(self.decay * w - shortfall(self.x @ w, self.t) @ self.x)

    def curvature(self, w: FloatArray) -> FloatArray:
        """``Σ y (1 − y) x xᵀ``; both factors to full precision."""
        a = self.x @ w
        slope = shortfall(a, np.zeros(len(a))) * -shortfall(a, np.ones(len(a)))
        return np.asarray((self.x.T * slope) @ self.x + np.diag(self.decay))

    def step(self, w: FloatArray, rows: Any) -> FloatArray:
        """The mean descent direction over some examples."""
        x = self.x[rows]
        share = shortfall(x @ w, self.t[rows]) @ x / len(x)
        return np.asarray(share - self.decay * w / len(self.t))

    def reached(self, w: FloatArray, tolerance: float) -> bool:
        return bool(np.abs(self.gradient(w)).max() <= tolerance * len(self.t))


def _descend(
    problem: _Problem,
    w: FloatArray,
    rate: float,
    batch_size: int,
    n_epochs: int,
    tolerance: float,
    rng: np.random.Generator | None,
) -> NeuronFit:
    n, history, converged = len(problem.t), [problem.error(w)], False
    for _ in range(n_epochs):
        with np.errstate(over="ignore", invalid="ignore"):
            if rng is None:
                w = w + rate * problem.step(w, slice(None))
            else:
                order = rng.permutation(n)
                for first in range(0, n, batch_size):
                    w = w + rate * problem.step(w, order[first : first + batch_size])
            history.append(problem.error(w))
        if not (np.isfinite(history[-1]) and np.isfinite(w).all()):
            raise ValueError(
                f"learning_rate={rate:g}: the weights grow without bound; a smaller one is needed"
            )
        converged = problem.reached(w, tolerance)
        if converged and tolerance:
            break
    return _result(w, history, converged)


def _minimise(problem: _Problem, w: FloatArray, method: str, n_epochs: int, tolerance: float) -> NeuronFit:
    from scipy.optimize import minimize

    history = [problem.error(w)]
    goal = tolerance * len(problem.t)
    options: dict[str, Any] = {"maxiter": n_epochs}
    options |= {"xtol": goal} if method == "Newton-CG" else {"gtol": goal}
    if method == "L-BFGS-B":
        options["ftol"] = 0.0
    found = minimize(
        problem.error,
        w,
        jac=problem.gradient,
        hess=problem.curvature if method == "Newton-CG" else None,
        method=method,
        callback=lambda w: history.append(problem.error(w)),
        options=options,
    )
    return _result(found.x, history, problem.reached(found.x, tolerance))


def _result(w: FloatArray, history: list[float], converged: bool) -> NeuronFit:
    return NeuronFit(Neuron(w[:-1], float(w[-1])), np.array(history), converged, len(history) - 1)
