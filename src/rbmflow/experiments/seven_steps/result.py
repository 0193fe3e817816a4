"""What the seven-step experiment found: arrays over seeds, training sets and sizes, and their file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import IO, Any

import numpy as np

from rbmflow.arguments import FloatArray, shown
from rbmflow.experiments.experiment import Result
from rbmflow.experiments.repetitions import mean_and_error
from rbmflow.experiments.seven_steps import tables
from rbmflow.experiments.seven_steps.parameters import Parameters
from rbmflow.experiments.seven_steps.steps import NULL_MAGNETIZATIONS, Prepared
from rbmflow.experiments.tables import Table
from rbmflow.flow.observables import lattice_observables
from rbmflow.flow.orbit import ALWAYS
from rbmflow.netcdf import Arrays, read_arrays, write_arrays
from rbmflow.networks import RBM
from rbmflow.provenance import provenance, version_of
from rbmflow.reading import brief, check_names, check_number, parse_json, refusing
from rbmflow.records.dataset import dataset

FORMAT = "rbmflow seven steps 1"
MACHINE = ("seed", "training_set", "n_hidden")
SHAPES: dict[str, tuple[str, ...]] = {
    "weights": ("site", "unit"),
    "visible_bias": ("site",),
    "hidden_bias": ("unit",),
    "epoch": ("snapshot",),
    "singular_values": ("snapshot", "mode"),
    "participation": ("snapshot", "mode"),
    "settled": ("snapshot",),
    "pseudo_likelihood": ("snapshot",),
    "reconstruction_error": ("snapshot",),
    "uniform_weight": (),
    "uniform_settled": (),
}
"""Dimensions of what a machine gives, beside `MACHINE`; everything else is over (map, start, step)."""
ALONG = ("map", "start", "step")
PREPARED = "prepared_"
STAGES = ("data", "thermometers", "training", "flows")
TEXTS = ("parameters", "seed", "seconds", "provenance")
"""Attributes of the file, in JSON."""


@dataclass(eq=False)
class IsoShibaYokoo(Result):
    """What the experiment found.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    seed : int or list
        Entropy of the seed sequence, with its place among others if it has any.
    values : dict of str to numpy.ndarray
        By name; what a machine gives begins with the axes (seed, training_set, n_hidden), see
        `seven_steps.machine`; what a seed gives, the curves of the thermometers, with the axis (seed,). NaN
        where a machine is smaller than the largest or is not yet there.
    finished : numpy.ndarray of bool, shape (n_seeds, n_training_sets, n_sizes)
        Which machines are there.
    prepared : dict of int to Prepared
        Data and thermometers of the seeds that lack machines, as far as they are there.
    seconds : dict of str to float
        Time of each stage, data, thermometers, training and flows, over all workers.
    version : str
        Of the package that made it.
    """

    parameters: Parameters
    seed: Any
    values: dict[str, FloatArray] = field(default_factory=dict, repr=False)
    finished: Any = None
    prepared: dict[int, Prepared] = field(default_factory=dict, repr=False, compare=False)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0), compare=False)
    version: str = field(default_factory=version_of, compare=False)

    def __post_init__(self) -> None:
        if self.finished is None:
            self.finished = np.zeros([self.sizes[name] for name in MACHINE], dtype=bool)

    @property
    def sizes(self) -> dict[str, int]:
        """Lengths of the axes by name."""
        p = self.parameters
        n_sites, most = p.lattice.n_sites, max(p.n_hidden)
        return {
            "seed": p.n_seeds,
            "training_set": len(p.training_sets),
            "n_hidden": len(p.n_hidden),
            "map": len(p.maps),
            "start": len(p.starts),
            "step": p.n_steps + 1,
            "site": n_sites,
            "unit": most,
            "snapshot": p.n_snapshots,
            "mode": min(n_sites, most),
            "temperature": len(p.temperatures),
            "null_magnetization": len(NULL_MAGNETIZATIONS),
        }

    def dimensions(self, name: str) -> tuple[str, ...]:
        """Return the names of the axes of one of `values`."""
        if self.values[name].ndim == 2:
            return ("seed", "null_magnetization" if name.endswith("_null") else "temperature")
        return MACHINE + SHAPES.get(name, ALONG)

    @property
    def complete(self) -> bool:
        """Whether every machine is there."""
        return bool(self.finished.all())

    def model(self, seed: int, training_set: str, n_hidden: int) -> RBM:
        """Return one of the trained machines.

        Parameters
        ----------
        seed : int
            Its place, from 0 on.
        training_set : str
            One of the parameters'.
        n_hidden : int
            One of the parameters'.

        Returns
        -------
        RBM
            The machine.

        Raises
        ------
        ValueError
            If there is no such machine, or it is not yet trained.
        """
        p = self.parameters
        try:
            place = (seed, p.training_sets.index(training_set), p.n_hidden.index(n_hidden))
            there = seed >= 0 and self.finished[place]
        except (ValueError, IndexError):
            there = False
        if not there:
            raise ValueError(
                f"seed={shown(seed)}, training_set={shown(training_set)}, n_hidden={shown(n_hidden)}: "
                "there is no such machine"
            )
        weights, b, c = (self.values[name][place] for name in ("weights", "visible_bias", "hidden_bias"))
        return RBM(weights[:, :n_hidden], b, c[:n_hidden])

    def mean(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Return the mean over the seeds and half its 68 % interval (Student's t), NaN with one seed."""
        return mean_and_error(self.values[name])

    @property
    def tables(self) -> dict[str, Table]:
        """Where flows end and what the thermometers are worth, of a complete result."""
        return tables.tables(self)

    def _columns(self) -> Mapping[str, Any]:
        return super()._columns() if self.complete else {}

    def lines(self) -> list[str]:
        """Return a line for each machine."""
        return tables.summary(self)

    def remarks(self, n_workers: int, seconds: float) -> list[str]:
        """Return the time that each stage took."""
        stages = ", ".join(f"{stage} {taken:.1f} s" for stage, taken in self.seconds.items())
        return [f"{stages}, over {n_workers} workers; {seconds:.1f} s in all"]

    def write(self, stream: IO[bytes]) -> None:
        """Write a netCDF file to a binary stream, finished or not.

        Parameters
        ----------
        stream : binary file
            Where to.

        Raises
        ------
        ImportError
            Without the extra ``data``.
        """
        p = self.parameters
        variables = self._variables()
        attributes = {
            "format": FORMAT,
            "parameters": json.dumps(p.to_json()),
            "seed": json.dumps(self.seed),
            "seconds": json.dumps(self.seconds),
            "provenance": json.dumps(provenance(p.to_json(), self.seed)),
        }
        variables |= {"finished": (MACHINE, self.finished.astype(np.int8))}
        for seed, one in self.prepared.items():
            for name, array in one.to_arrays().items():
                axes = tuple(f"{name}_{axis}" for axis in range(array.ndim))
                variables[f"{PREPARED}{seed}_{name}"] = (axes, array)
        content = Arrays(variables, attributes)
        stream.write(write_arrays(content, self._coordinates()))

    def _variables(self) -> dict[str, Any]:
        return {name: (self.dimensions(name), array) for name, array in self.values.items()}

    def _coordinates(self) -> dict[str, Any]:
        p = self.parameters
        return {
            "training_set": list(p.training_sets),
            "n_hidden": list(p.n_hidden),
            "map": list(p.maps),
            "start": list(p.starts),
            "temperature": list(p.temperatures),
            "null_magnetization": list(NULL_MAGNETIZATIONS),
        }

    def to_xarray(self) -> Any:
        """Return all values as a dataset of xarray.

        Returns
        -------
        xarray.Dataset
            Each of `values` over its axes, `dimensions`; those of a machine begin with ``seed``,
            ``training_set`` and ``n_hidden``.

        Raises
        ------
        ImportError
            Without the extra ``data`` (xarray).
        """
        return dataset(self._variables(), self._coordinates(), {"lattice": self.parameters.lattice.label})

    @classmethod
    def load(cls, path: Any, _parameters: object = None) -> IsoShibaYokoo:
        """Read a file that `save` wrote; the result is equal in every number.

        Parameters
        ----------
        path : path-like or bytes
            The file, or what it holds.

        Returns
        -------
        IsoShibaYokoo
            Finished or not.

        Raises
        ------
        ImportError
            Without the extra ``data``.
        OSError, ValueError
            If there is no such file, or it is something else, of another version, or broken.
        """
        content = read_arrays(path, FORMAT)
        with refusing(path, "a result of the seven-step experiment"):
            check_names("it", content.attributes, {"format", *TEXTS})
            parameters, seed, seconds, facts = (parse_json(content.attributes[name]) for name in TEXTS)
            values = {name: array for name, (_, array) in content.variables.items()}
            prepared: dict[int, dict[str, Any]] = {}
            for name in [name for name in values if name.startswith(PREPARED)]:
                place, part = name.removeprefix(PREPARED).split("_")
                prepared.setdefault(int(place), {})[part] = values.pop(name)
            asked = Parameters.from_json(parameters)
            finished = _finished(values.pop("finished", None), asked)
            if prepared.keys() - set(range(asked.n_seeds)):
                raise ValueError(f"there are no seeds {sorted(prepared)} of {asked.n_seeds}")
            made = {place: Prepared.from_arrays(asked, arrays) for place, arrays in prepared.items()}
            for name, taken in check_names("seconds", seconds, set(STAGES)).items():
                check_number(f"seconds: {name}", taken)
            result = cls(asked, seed, values, finished, made, seconds, _version(facts))
            result._check()
        return result

    def _check(self) -> None:
        """Raise ValueError unless all values are there, each where it belongs."""
        if not isinstance(self.seed, (int, list)) or isinstance(self.seed, bool):
            raise ValueError(f"seed={shown(self.seed)}: an integer, or a list of them, is needed")  # noqa: TRY004
        of_seeds, of_machines = _names(self.parameters)
        there = bool(self.finished.any())
        if self.values or there:
            check_names("it", self.values, of_seeds | (of_machines if there else set()))
        for name, array in self.values.items():
            axes = MACHINE + SHAPES.get(name, ALONG) if name in of_machines else self.dimensions(name)
            shape = tuple(self.sizes[axis] for axis in axes)
            if array.dtype != np.float64 or array.shape != shape:
                raise ValueError(
                    f"{name} is {array.dtype} of shape {array.shape}: float64 of {shape} is needed"
                )
        p = self.parameters
        for seed, i, j in zip(*np.nonzero(self.finished), strict=True):
            self.model(int(seed), p.training_sets[i], p.n_hidden[j])

    def note(self, place: tuple[int, ...], found: dict[str, Any], seconds: dict[str, float]) -> None:
        """Put what a machine, or with a place of one number a seed, gave where it belongs."""
        for name, value in found.items():
            array = np.asarray(value, dtype=np.float64)
            if name not in self.values:
                inner = (
                    [self.sizes[axis] for axis in SHAPES.get(name, ALONG)] if len(place) > 1 else array.shape
                )
                outer = [self.sizes[axis] for axis in MACHINE[: len(place)]]
                self.values[name] = np.full((*outer, *inner), np.nan)
            inside: Any = (*place, *map(slice, array.shape))
            self.values[name][inside] = array
        for stage, taken in seconds.items():
            self.seconds[stage] += taken
        if len(place) > 1:
            self.finished[place] = True


def _version(facts: object) -> str:
    """Return the version of the package that a provenance names, or nothing."""
    versions = facts.get("versions") if isinstance(facts, dict) else None
    if not isinstance(facts, dict) or not isinstance(versions, (dict, NoneType)):
        raise ValueError("provenance: an object, with versions by name, is needed")  # noqa: TRY004
    return brief((versions or {}).get("rbmflow", ""))


def _finished(array: Any, parameters: Parameters) -> Any:
    """Return which machines are finished, as truth values."""
    shape = (parameters.n_seeds, len(parameters.training_sets), len(parameters.n_hidden))
    if array is None or array.dtype != np.int8 or array.shape != shape or not np.isin(array, (0, 1)).all():
        raise ValueError(f"finished: 0 or 1 for each of {shape} machines is needed")
    return array.astype(bool)


def _names(parameters: Parameters) -> tuple[set[str], set[str]]:
    """Return the names of what seeds give and of what machines give."""
    read = {"network": ("network_mean", "network_peak", "network_per_sample")}
    kinds = [kind for name in parameters.thermometers for kind in read.get(name, (name,))]
    of_flows = {
        *ALWAYS,
        *lattice_observables(parameters.lattice, parameters.distances),
        *(f"temperature_{kind}" for kind in kinds),
    }
    return (
        {f"{kind}_{part}" for kind in kinds for part in ("reading", "resolution", "null")},
        {*SHAPES, *of_flows, *(f"{name}_stderr" for name in of_flows)},
    )
