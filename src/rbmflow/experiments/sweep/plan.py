"""What a sweep does: one call, fixed arguments, and axes whose values take their turns."""

from __future__ import annotations

import hashlib
import json
import math
import os
import pickle
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rbmflow.arguments import check_finite, check_integer, shown
from rbmflow.experiments.sweep.calls import CALL, NAME, check_arguments, check_calls
from rbmflow.hardware import check_memory
from rbmflow.reading import brief, refusing

MAX_POINTS = 10**9
BYTES_A_VALUE = 300  # of a range: a number, and its text while they are told apart
SEED = "seed"
"""The axis of repetitions."""
MAY = {"call", "arguments", "axes", "results", "seeds"}
RANGES = ({"from", "to", "points"}, {"from", "to", "points", "scale"}, {"from", "to", "step"})
SPELT = 1000
"""Characters of a description that is kept as it is, and not as its digest."""


@dataclass(frozen=True)
class Plan:
    """A grid of calls.

    Attributes
    ----------
    call : str or callable
        A public name of the package, as ``"trained_weight"``, ``"flow.orbit"`` or ``"Torus.energy"``, a
        method that is given `self`; or a function of one's own.
    axes : dict of str to list
        Values by the name of the argument; ``"lattice.n_rows"`` is an argument of a call among the arguments.
        In place of a list ``{"from": 0.1, "to": 3, "points": 30, "scale": "log"}``, or with "step" of
        integers, the end included. The last axis changes fastest.
    arguments : dict
        Those that are the same everywhere. ``{"call": "Ring", "n_sites": 8}`` stands for what that call
        returns, ``{"name": "flow.mean_field"}`` for that function.
    results : tuple of str
        What is taken of a result, as ``"energy_estimate.mean"`` or ``"order_parameter.-1.mean"``: attributes,
        members, places. By default the number itself, or all numbers and texts of a record.
    seeds : int
        Times that each point is repeated, each time with a stream of its own: one axis more, ``seed``.

    Examples
    --------
    >>> plan = Plan("trained_weight", {"K": [0.5, 1.0], "n_hidden": [4, 8]}, {"n_visible": 8})
    >>> plan.shape, plan.point(1)
    ((2, 2), {'K': 0.5, 'n_hidden': 8})
    """

    call: str | Callable[..., Any]
    axes: Mapping[str, Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    results: Sequence[str] = ()
    seeds: int = 1

    def __post_init__(self) -> None:
        for name in ("axes", "arguments"):
            given: object = getattr(self, name)
            if not isinstance(given, Mapping) or not all(map(_is_name, given)):
                raise TypeError(f"{name}={shown(given)}: a dict by names of arguments is needed")
        axes = dict(self.axes)
        results: object = self.results
        for name, values in axes.items():
            axes[name] = _values(f"axes: {name}", values)
            if name in self.arguments:
                raise ValueError(f"axes: {name} is among the arguments as well")
        check_integer("seeds", self.seeds, 1)
        if SEED in axes:
            raise ValueError("axes: seed is the axis of the repetitions that seeds asks for")
        if not isinstance(results, Sequence) or isinstance(results, str) or not all(map(_is_name, results)):
            raise TypeError(f"results={shown(results)}: a list of names is needed")
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "results", tuple(results))
        object.__setattr__(self, "arguments", dict(self.arguments))
        check_integer("points", self.n_points, 1, MAX_POINTS)
        at_first = self._placed({name: values[0] for name, values in axes.items()})
        check_arguments(self.call, set(at_first))
        check_calls(at_first, "arguments")
        for name, values in axes.items():
            check_calls(values, f"axes: {name}")

    @property
    def every_axis(self) -> dict[str, Sequence[Any]]:
        """The axes, and that of the seeds where there are several."""
        return {**self.axes, **({SEED: range(self.seeds)} if self.seeds > 1 else {})}

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(map(len, self.every_axis.values()))

    @property
    def n_points(self) -> int:
        """How many calls there are."""
        return math.prod(self.shape)

    def point(self, index: int) -> dict[str, Any]:
        """Return the values of the axes at a point, the last axis fastest.

        Parameters
        ----------
        index : int
            From 0.

        Returns
        -------
        dict
            By the names of the axes.
        """
        found = {}
        for name, values in reversed(self.every_axis.items()):
            index, place = divmod(index, len(values))
            found[name] = values[place]
        return dict(reversed(found.items()))

    def arguments_at(self, index: int) -> dict[str, Any]:
        """Return the arguments at a point, as plain values."""
        point = self.point(index)
        point.pop(SEED, None)
        return self._placed(point)

    def _placed(self, point: Mapping[str, Any]) -> dict[str, Any]:
        placed: Any = dict(self.arguments)
        for name, value in point.items():
            *path, last = name.split(".")
            inner = placed
            for part in path:
                if not isinstance(inner.get(part), Mapping):
                    raise ValueError(f"axes: {name}: the arguments have no object {part!r}")  # noqa: TRY004
                inner[part] = inner = dict(inner[part])
            inner[last] = value
        return placed  # type: ignore[no-any-return]

    def to_json(self) -> dict[str, Any]:
        """Return what the points depend on: as it is where that is short, else its digest."""
        call = self.call if isinstance(self.call, str) else _described(self.call)
        plain = {
            "call": call,
            "arguments": self.arguments,
            "axes": self.axes,
            "results": self.results,
            "seeds": self.seeds,
        }
        return {name: _brief(value) for name, value in plain.items()}

    @classmethod
    def from_toml(cls, source: str | os.PathLike[str] | bytes) -> Plan:
        r"""Read a plan from a file of TOML, or its bytes.

        Parameters
        ----------
        source : path-like or bytes
            With ``call``, the tables ``[axes]`` and ``[arguments]``, and ``results`` and ``seeds`` if wanted.

        Returns
        -------
        Plan
            Its call is a public name of the package.

        Raises
        ------
        OSError, ValueError, TypeError
            If there is no such file, or it is no plan.

        Examples
        --------
        >>> Plan.from_toml(b'''
        ... call = "trained_weight"
        ... arguments = {n_visible = 8, n_hidden = 4}
        ... axes.K = {from = 0.5, to = 1.5, points = 3}
        ... ''').axes
        {'K': [0.5, 1.0, 1.5]}
        """
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
        with refusing(source, "a plan in TOML"):
            found = tomllib.loads(content.decode())
        if unknown := found.keys() - MAY:
            raise ValueError(f"{', '.join(map(shown, sorted(unknown)))}: {', '.join(sorted(MAY))} are known")
        if not isinstance(found.get("call"), str):
            raise ValueError("call: the name of a public function is needed")  # noqa: TRY004
        for name in ("arguments", "axes"):
            if not isinstance(found.setdefault(name, {}), dict):
                raise ValueError(f"{name}={shown(found[name])}: a table is needed")  # noqa: TRY004
        return cls(**found)


def _values(name: str, values: Any) -> list[Any]:
    """Return the values of an axis, which may be said as a range."""
    if not isinstance(values, Mapping):
        if isinstance(values, (str, bytes)) or not hasattr(values, "__len__") or not len(values):
            raise ValueError(f"{name}={shown(values)}: a list of values, or from, to and points, is needed")
        found = values.tolist() if isinstance(values, np.ndarray) else list(values)
        (spelt, times), *_ = Counter(map(_spelt, found)).most_common(1)
        if times > 1:
            raise ValueError(f"{name}: {brief(spelt)} comes twice")
        return found
    if set(values) not in RANGES:
        raise ValueError(
            f"{name}={shown(dict(values))}: from, to, points and scale, or from, to and step, are needed; "
            'the axis of an argument of an argument has a dotted name in quotes, as "lattice.n_rows"'
        )
    if "step" in values:
        first, last, step = (check_integer(f"{name}.{one}", values[one], -MAX_POINTS, MAX_POINTS)
                             for one in ("from", "to", "step"))  # fmt: skip
        found = range(first, last + 1, check_integer(f"{name}.step", step, 1))
        check_memory(
            f"{name}: {len(found)} values", BYTES_A_VALUE * len(found), "sweep over parts of the axis"
        )
        return _values(name, found)
    low, high = check_finite(f"{name}.from, to", [values["from"], values["to"]]).tolist()
    n_points = check_integer(f"{name}.points", values["points"], 1, MAX_POINTS)
    check_memory(f"{name}: {n_points} values", BYTES_A_VALUE * n_points, "sweep over parts of the axis")
    scale = values.get("scale", "linear")
    if scale == "log" and min(low, high) > 0:
        return _values(name, np.geomspace(low, high, n_points))
    if scale != "linear":
        raise ValueError(f"{name}.scale={shown(scale)}: 'linear', or 'log' above 0, is needed")
    return _values(name, np.linspace(low, high, n_points))


def _spelt(value: Any) -> str:
    """Return a text that differs where values do; that of a machine, say, has its sizes alone."""
    return repr(value) if isinstance(value, (int, float, str)) else json.dumps(value, default=_described)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def label(value: Any) -> Any:
    """Return how a value of an axis stands in a table: numbers and texts as they are."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping) and set(value) == {NAME}:
        return value[NAME]
    if isinstance(value, Mapping) and set(value) == {CALL}:
        return value[CALL]
    return json.dumps(value, default=_described)


def _described(value: Any) -> Any:
    """Return what says which object it is, as JSON holds it."""
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    return {"type": kind, "sha256": hashlib.sha256(pickle.dumps(value, protocol=5)).hexdigest()}


def _brief(value: Any) -> Any:
    text = json.dumps(value, default=_described)
    return json.loads(text) if len(text) < SPELT else {"sha256": hashlib.sha256(text.encode()).hexdigest()}
