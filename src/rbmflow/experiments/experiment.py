"""What an experiment is, and which there are.

An experiment is a module, or a package, with

- ``Parameters``, what is asked, a frozen dataclass derived from `BaseParameters`; a field whose metadata hold
  an `option` can be said on the command line;
- ``run(parameters, *, rng, executor, progress, checkpoints)``, which returns a `Result`. What an interrupted
  run left in `checkpoints` is not computed again, and the result depends on parameters and seed alone;
- ``EXPERIMENTS``, a list of `Experiment`: its name, its file, its figures.

`MODULES` names them. No other place knows of an experiment.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import IO, TYPE_CHECKING, Any, ClassVar, Self, get_args, get_origin, get_type_hints

from rbmflow.arguments import check_choice, shown
from rbmflow.experiments.style import Drawing, figure_of
from rbmflow.experiments.tables import Table
from rbmflow.files import save_atomically
from rbmflow.ising.lattice import Lattice
from rbmflow.reading import check_names, parse_json, refusing
from rbmflow.records import Tabular
from rbmflow.records.dataset import tree
from rbmflow.records.table import dataframe

MODULES = [
    "rbmflow.experiments.weight_map",
    "rbmflow.experiments.capacity",
    "rbmflow.experiments.threshold",
    "rbmflow.experiments.critical_point",
    "rbmflow.experiments.least_singular_value",
    "rbmflow.experiments.denoising",
    "rbmflow.experiments.optimum",
    "rbmflow.experiments.couplings",
    "rbmflow.experiments.seven_steps",
    "rbmflow.experiments.own_data",
    "rbmflow.experiments.audit",
    "rbmflow.experiments.papers",
    "rbmflow.experiments.reproduction",
]
PROVENANCE = "provenance.json"
"""The file beside a result that says its parameters, seed and versions."""
OPTION = "option"


@dataclass(frozen=True)
class Option:
    """How a parameter is said on the command line.

    Attributes
    ----------
    help : str
        What `--help` says; the default is added.
    flag : str
        By default the name of the field. Fields that share a flag get the same value.
    metavar : str or None
        What stands for the value.
    choices : tuple of str
        The values that there are; all by default.
    kind : type or None
        Of a value; that of the field by default.
    make : callable or None
        What turns the value into that of the field.
    """

    help: str = ""
    flag: str = ""
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    kind: type | None = None
    make: Callable[[Any], Any] | None = None


def option(help: str = "", flag: str = "", **more: Any) -> dict[str, Option]:
    """Return the metadata of a field that is an option of the command line: see `Option`.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Parameters(BaseParameters):
    ...     n_sites: int = field(default=10, metadata=option("spins of the ring", "--size", metavar="M"))
    >>> fields(Parameters)[0].metadata["option"].flag
    '--size'
    """
    return {OPTION: Option(help, flag, **more)}


@dataclass(frozen=True)
class BaseParameters:
    """What is asked of an experiment: numbers, texts and tuples of them."""

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as what JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: object) -> Self:
        """Return the parameters that `to_json` wrote; raise ValueError or TypeError if it is not that."""
        kinds = get_type_hints(cls)
        for name, value in check_names("parameters", plain, {one.name for one in fields(cls)}).items():
            if not _is_of_the_kind(kinds[name], value):
                raise ValueError(f"parameters: {name}={shown(value)} is of another kind")
        values: Any = plain
        return cls(**{name: tuple(one) if isinstance(one, list) else one for name, one in values.items()})


def _is_of_the_kind(kind: Any, value: object) -> bool:
    """Whether a value out of JSON is of the kind of a field; for a tuple it is a list."""
    if get_origin(kind) is UnionType:
        return any(_is_of_the_kind(one, value) for one in get_args(kind))
    if get_origin(kind) is tuple:
        return isinstance(value, list) and all(_is_of_the_kind(get_args(kind)[0], item) for item in value)
    if kind is float:
        kind = (int, float)
    return isinstance(value, kind) and not isinstance(value, bool)


class Result(Tabular):
    """What an experiment found: parameters, tables by name, the first for the screen, and a file.

    A class of results has `parameters` and `tables`, `write` and `read`; its other methods say what they say
    unless it knows better.
    """

    parameters: Any
    if TYPE_CHECKING:

        @property
        def tables(self) -> dict[str, Table]:
            """The tables by name."""

    what: ClassVar[str] = "a result of an experiment"
    holds_parameters: ClassVar[bool] = True
    """Whether the file does; else they stand in `PROVENANCE` beside it."""

    def write(self, stream: IO[bytes]) -> None:
        """Write the file to a binary stream."""
        raise NotImplementedError

    @classmethod
    def read(cls, content: bytes, parameters: Any) -> Self:
        """Return the result in the bytes of a file; raise what is wrong with them."""
        raise NotImplementedError

    def save(self, destination: str | os.PathLike[str] | IO[bytes]) -> None:
        """Write the file: to a path, whole or not at all, or to a binary stream."""
        if isinstance(destination, (str, os.PathLike)):
            save_atomically(destination, self.write)
        else:
            self.write(destination)

    @classmethod
    def load(cls, source: str | os.PathLike[str] | bytes, parameters: Any = None) -> Self:
        """Read a file that `save` wrote, or its bytes; the result is equal in every number that it holds.

        Parameters
        ----------
        source : path-like or bytes
            The file, or what it holds.
        parameters : Parameters, optional
            What was asked, of a table, which does not say it; by default those in ``provenance.json`` beside
            it, as the command line leaves it.

        Raises
        ------
        OSError, ValueError
            If there is no such file, or it is something else, or broken.
        """
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
        with refusing(source, cls.what):
            if parameters is None and not cls.holds_parameters:
                if isinstance(source, bytes):
                    raise ValueError("it does not say its parameters, which are needed")
                facts = parse_json((Path(source).parent / PROVENANCE).read_bytes())
                parameters = get_type_hints(cls)["parameters"].from_json(facts["parameters"])
            return cls.read(content, parameters)

    def _columns(self) -> Mapping[str, Any]:
        return next(iter(self.tables.values())).columns

    def to_dataframe(self, table: str | None = None) -> Any:
        """Return one of the tables as one of pandas.

        Parameters
        ----------
        table : str, optional
            Its name; the first by default.

        Returns
        -------
        pandas.DataFrame
            With the columns of the table.

        Raises
        ------
        ImportError
            Without the extra ``data`` (pandas).
        ValueError
            If there is no such table.

        Examples
        --------
        >>> from rbmflow.experiments.capacity import Parameters, run
        >>> found = run(Parameters((50,), (0.1,), n_networks=2), rng=1)
        >>> found.to_dataframe().columns.tolist()[:2]
        ['n_units', 'half_load']
        """
        chosen = next(iter(self.tables)) if table is None else check_choice("table", table, self.tables)
        return dataframe(self.tables[chosen].columns)

    def to_xarray(self) -> Any:
        """Return all that is in the tables as a tree of xarray, with a dataset for each, over ``row``.

        Returns
        -------
        xarray.DataTree
            By the names of the tables.

        Raises
        ------
        ImportError
            Without the extra ``data`` (xarray).

        Examples
        --------
        >>> from rbmflow.experiments.capacity import Parameters, run
        >>> found = run(Parameters((50,), (0.1,), n_networks=2), rng=1)
        >>> list(found.to_xarray())
        ['half_loads', 'capacity']
        """
        return tree({name: table.columns for name, table in self.tables.items()})

    def lines(self) -> list[str] | None:
        """Return what a reader sees in place of the first table, None for the table."""
        return None

    def remarks(self, _n_workers: int, _seconds: float) -> list[str]:
        """Return lines beside the table, of a run over so many workers that took so long."""
        return []


@dataclass(frozen=True)
class Experiment:
    """How an experiment is called, and what it leaves.

    Attributes
    ----------
    name, help : str
        Of the command ``experiment NAME``.
    module : str
        Where ``Parameters`` and ``run`` are.
    result : type of Result
        What `run` returns.
    file : str
        Of the result.
    unit : str
        What the progress counts.
    figures : dict of str to Drawing
        By name.
    start : Parameters, optional
        Those by default.
    options : dict of str to Option
        In place of the fields' own.
    presets : dict of str to (str, callable)
        Flags that change parameters as a whole, only one at a time: help, and the change.
    parallel : bool
        Whether worker processes are worth their start.
    is_command : bool
        False where another command runs it.
    needs : callable, optional
        Raises ImportError where an extra is absent without which the result could not be written.
    estimate : callable, optional
        Seconds of a run, from parameters and a number of workers, told before it begins.
    report : callable, optional
        A page from the result, pictures and provenance; tables are then written as well.
    family : str
        Of several that the command lists together, as ``experiment FAMILY NAME``.
    source : str
        The paper, of one that repeats it.
    now : str
        Its present name, of one whose name is a former one.
    place : callable, optional
        Of parameters and a lattice it returns those on the lattice, which options can then name.
    """

    name: str
    help: str
    module: str
    result: type[Result]
    file: str
    unit: str = "tasks"
    figures: Mapping[str, Drawing] = field(default_factory=dict)
    start: Any = None
    options: Mapping[str, Option] = field(default_factory=dict)
    presets: Mapping[str, tuple[str, Callable[[Any], Any]]] = field(default_factory=dict)
    parallel: bool = True
    is_command: bool = True
    needs: Callable[[], object] | None = None
    estimate: Callable[[Any, int], float] | None = None
    report: Callable[[Any, dict[str, bytes], dict[str, Any]], str] | None = None
    family: str = ""
    source: str = ""
    now: str = ""
    place: Callable[[Any, Lattice], Any] | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What follows ``rbmflow experiment``."""
        return (self.family, self.name) if self.family else (self.name,)

    @property
    def run(self) -> Callable[..., Any]:
        """The function that runs it."""
        run: Callable[..., Any] = import_module(self.module).run
        return run

    @property
    def parameters(self) -> Any:
        """The parameters by default, or their class where some must be said."""
        return import_module(self.module).Parameters if self.start is None else self.start

    def draw(self, result: Result, name: str) -> Any:
        """Return a figure of a result."""
        return figure_of(self.figures[name](result))


def experiments() -> dict[str, Experiment]:
    """Return all experiments by name.

    Examples
    --------
    >>> print(*list(experiments())[:3])
    weight_map capacity threshold
    """
    return {one.name: one for name in MODULES for one in import_module(name).EXPERIMENTS}
