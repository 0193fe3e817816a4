"""What every result can do: a short text, equality, a file, a table; a new one derives from `Record`."""

from rbmflow.records.record import Record
from rbmflow.records.storable import Storable
from rbmflow.records.table import Tabular

__all__ = ["Record", "Storable", "Tabular"]
