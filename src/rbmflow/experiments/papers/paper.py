"""What the experiments of papers share: claims beside a null, tables, parts that are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from typing import IO, Any, ClassVar, Literal, Self, get_type_hints

from rbmflow.checkpoints import Checkpoints
from rbmflow.executors import Piece, completed
from rbmflow.experiments.audit.result import read_tables
from rbmflow.experiments.experiment import Experiment, Result
from rbmflow.experiments.style import Drawing
from rbmflow.experiments.tables import Table, columns_of, tables_of
from rbmflow.reading import check_names, seal, unseal
from rbmflow.workers import Progress

FAMILY = "paper"
SURE = 3.0
"""Standard errors between a number and a bound, for the one to be on a side of the other."""
CLAIMS = "claims"
COLUMNS = (
    "claim", "quantity", "claimed", "measured", "stderr", "null_is", "null", "null_stderr", "verdict",
)  # fmt: skip
Tables = dict[str, Table]


@dataclass(frozen=True)
class Claim:
    """That a quantity lies above, or below, a bound; beside it the same quantity where nothing is to be seen.

    Attributes
    ----------
    text : str
        What the paper says.
    quantity : str
        What is measured of it.
    side : {"above", "below"}
        Of the bound.
    bound : float
        Where the claim begins to hold.
    measured, null : float
        The quantity, and that of the null.
    null_is : str
        What the null is.
    stderr, null_stderr : float
        Standard errors; 0 where a number is exact.
    """

    text: str
    quantity: str
    side: Literal["above", "below"]
    bound: float
    measured: float
    null_is: str
    null: float
    stderr: float = 0.0
    null_stderr: float = 0.0

    @property
    def verdict(self) -> str:
        """What the numbers say: a claim that its null fulfils as well tells nothing.

        Examples
        --------
        >>> Claim("it grows", "growth", "above", 0.0, 2.0, "a machine that was not trained", 1.0).verdict
        'holds of the null as well'
        >>> Claim("it grows", "growth", "above", 0.0, 2.0, "noise", -0.1, 0.1, 0.1).verdict
        'holds; of the null undecided'
        """
        holds = self._holds(self.measured, self.stderr)
        of_null = self._holds(self.null, self.null_stderr)
        if holds is None:
            return "undecided"
        if not holds:
            return "does not hold"
        return {True: "holds of the null as well", False: "holds", None: "holds; of the null undecided"}[
            of_null
        ]

    def _holds(self, number: float, stderr: float) -> bool | None:
        """Whether a number lies on the side of the bound that is claimed; None within its error, or NaN."""
        if math.isnan(number):
            return None
        beyond = number - self.bound if self.side == "above" else self.bound - number
        if stderr > 0 and abs(beyond) < SURE * stderr:
            return None
        return beyond > 0

    @property
    def row(self) -> tuple[Any, ...]:
        """The cells of the table of claims."""
        claimed = f"{self.side} {self.bound:.6g}"
        numbers = (self.measured, self.stderr, self.null_is, self.null, self.null_stderr)
        return (self.text, self.quantity, claimed, *numbers, self.verdict)


@dataclass(frozen=True)
class PaperResult(Result):
    """Claims with their verdicts, and the numbers behind them.

    Attributes
    ----------
    parameters : BaseParameters
        What was asked.
    tables : dict of str to Table
        ``claims`` first.
    """

    parameters: Any
    tables: Tables = field(repr=False)
    what: ClassVar[str] = "the result of a paper's experiment"

    @classmethod
    def of(cls, parameters: Any, tables: Mapping[str, Table], claims: Sequence[Claim]) -> Self:
        """Return the result of these claims."""
        judged = Table(
            "What is claimed, and what was found", columns_of(COLUMNS, [one.row for one in claims])
        )
        return cls(parameters, {CLAIMS: judged, **tables})

    @property
    def verdicts(self) -> list[str]:
        """The verdict on each claim."""
        return [str(one) for one in self.tables[CLAIMS].columns["verdict"]]

    def write(self, stream: IO[bytes]) -> None:
        """Write all of it as JSON to a binary stream; floats read back to the same bits."""
        tables = {name: asdict(table) for name, table in self.tables.items()}
        stream.write(seal({"parameters": self.parameters.to_json(), "tables": tables}).encode())

    @classmethod
    def read(cls, content: bytes, _parameters: object = None) -> Self:
        """Return the result in the bytes of a file."""
        found = check_names("it", unseal(content), {"parameters", "tables"})
        tables = read_tables(found["tables"])
        if CLAIMS not in tables:
            raise ValueError("tables: it lacks claims")
        check_names("table claims", tables[CLAIMS].columns, set(COLUMNS))
        return cls(get_type_hints(cls)["parameters"].from_json(found["parameters"]), tables)

    def lines(self) -> list[str]:
        """Return each claim with its verdict, and the numbers that it rests on."""
        columns = self.tables[CLAIMS].columns
        found = []
        for cells in zip(*(columns[name] for name in COLUMNS), strict=True):
            claim, quantity, claimed, value, stderr, null_is, null, null_stderr, verdict = cells
            found += [
                f"{claim}: {verdict}",
                f"  {quantity}, claimed {claimed}: {_number(value, stderr)}",
                f"  {null_is}: {_number(null, null_stderr)}",
            ]
        return found


def _number(value: Any, stderr: Any) -> str:
    return f"{value:.5g} ± {stderr:.2g}" if stderr else f"{value:.6g}"


def tables_of_parts(
    parts: Mapping[str, Piece],
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
) -> Tables:
    """Return the tables of independent parts together, here or on an executor; none is computed again.

    Parameters
    ----------
    parts : dict of str to (function, argument, ...)
        By name; each returns its tables by name.
    executor : concurrent.futures.Executor, optional
        Where to compute.
    progress : callable, optional
        Called as ``progress(parts done, parts)``.
    checkpoints : Checkpoints, optional
        Where finished parts are kept.

    Returns
    -------
    dict of str to Table
        In the order of the parts.

    Examples
    --------
    >>> list(tables_of_parts({"first": (lambda K: {"couplings": Table("", {"K": [K]})}, 0.5)}))
    ['couplings']
    """
    found: dict[str, Tables] = {}
    for name in parts:
        kept = None if checkpoints is None else checkpoints.load(name, _read)
        if kept is not None:
            found[name] = kept
    missing = {name: piece for name, piece in parts.items() if name not in found}
    if progress is not None and found:
        progress(len(found), len(parts))
    for name, tables in completed(executor, missing.items()):
        found[name] = tables
        if checkpoints is not None:
            content = seal({key: asdict(table) for key, table in tables.items()}).encode()
            checkpoints.store(name, lambda stream, content=content: stream.write(content))  # type: ignore[misc]
        if progress is not None:
            progress(len(found), len(parts))
    return tables_of(found[name] for name in parts)


def _read(content: bytes) -> Tables:
    return read_tables(unseal(content))


def paper_experiment(
    name: str,
    help: str,
    module: str,
    result: type[PaperResult],
    quick: Callable[[Any], Any],
    draw: Drawing,
    source: str,
) -> Experiment:
    """Return how the experiment of a paper is called: ``rbmflow experiment paper NAME``."""
    return Experiment(
        name,
        help,
        module,
        result,
        f"{name}.json",
        "parts",
        {name: draw},
        presets={"quick": ("a small one, in seconds", quick)},
        family=FAMILY,
        source=source,
    )
