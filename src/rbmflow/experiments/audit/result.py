"""What is asked of an audit, and what it leaves."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import IO, ClassVar

from rbmflow.arguments import check_integer
from rbmflow.experiments.experiment import BaseParameters, Result, option
from rbmflow.experiments.tables import Table
from rbmflow.reading import check_names, seal, unseal

MARK = "! "
"""Of a finding to beware of, where lines are printed."""


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """How closely a machine is looked at.

    Attributes
    ----------
    n_chains : int
        Chains from rows of the data, as many from random states, and in each direction of the annealing.
    n_sweeps : int
        After which chains are compared with their start, and over which they are then measured.
    n_temperatures : int
        Of the annealing that brackets ln Z.
    n_starts : int
        From which fixed points of the mean-field map are searched, half of them rows of the data; fewer in
        machines of hundreds of units.
    """

    n_chains: int = field(default=100, metadata=option("chains of each kind", "--chains", metavar="N"))
    n_sweeps: int = field(default=1000, metadata=option("sweeps of them", "--sweeps", metavar="N"))
    n_temperatures: int = field(
        default=1000, metadata=option("of the annealing for ln Z", "--temperatures", metavar="N")
    )
    n_starts: int = field(
        default=64, metadata=option("where fixed points are searched from", "--starts", metavar="N")
    )

    def __post_init__(self) -> None:
        check_integer("n_chains", self.n_chains, 4, 10**5)
        check_integer("n_sweeps", self.n_sweeps, 10, 10**8)
        check_integer("n_temperatures", self.n_temperatures, 2, 10**6)
        check_integer("n_starts", self.n_starts, 2, 10**4)


@dataclass(frozen=True)
class Audit(Result):
    """Findings and the numbers behind them.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    machine : str
        Where the machine comes from.
    tables : dict of str to Table
        ``findings`` first; without data there is none of those that need it.
    """

    parameters: Parameters
    machine: str
    tables: dict[str, Table] = field(repr=False)
    what: ClassVar[str] = "an audit of a machine"

    def write(self, stream: IO[bytes]) -> None:
        """Write all of it as JSON to a binary stream; floats read back to the same bits."""
        tables = {name: asdict(table) for name, table in self.tables.items()}
        plain = {"parameters": self.parameters.to_json(), "machine": self.machine, "tables": tables}
        stream.write(seal(plain).encode())

    @classmethod
    def read(cls, content: bytes, _parameters: object = None) -> Audit:
        """Return the audit in the bytes of a file."""
        found = check_names("it", unseal(content), {"parameters", "machine", "tables"})
        if not isinstance(found["machine"], str):
            raise ValueError("machine: a text is needed")  # noqa: TRY004
        tables = read_tables(found["tables"])
        if "findings" not in tables:
            raise ValueError("tables: it lacks findings")
        return cls(Parameters.from_json(found["parameters"]), found["machine"], tables)

    def lines(self) -> list[str]:
        """Return the findings, each a line, those to beware of marked."""
        columns = self.tables["findings"].columns
        rows = zip(columns["subject"], columns["beware"], columns["finding"], strict=True)
        return [f"{MARK if beware else '  '}{subject}: {finding}" for subject, beware, finding in rows]


def read_tables(plain: object) -> dict[str, Table]:
    """Return tables by name out of JSON, or raise ValueError."""
    if not isinstance(plain, dict):
        raise ValueError("tables: an object is needed")  # noqa: TRY004
    return {name: Table.from_json(f"table {name}", table) for name, table in plain.items()}
