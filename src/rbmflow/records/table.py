"""Records that are tables, and tables of pandas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rbmflow.records.record import Record


class Tabular(Record):
    """A record with columns of equal length: attributes that `COLUMNS` names, or what `_columns` says."""

    COLUMNS: ClassVar[tuple[str, ...]] = ()

    def _columns(self) -> Mapping[str, Any]:
        """Return the columns by name."""
        return {name: getattr(self, name) for name in self.COLUMNS}

    def to_dataframe(self) -> Any:
        """Return the table as one of pandas.

        Returns
        -------
        pandas.DataFrame
            A row for each row of the table. Exact integers beyond 64 bits and numbers of mpmath stay what
            they are, in columns of objects.

        Raises
        ------
        ImportError
            Without the extra ``data`` (pandas).

        Examples
        --------
        >>> from rbmflow import Ring
        >>> frame = Ring(4).degeneracies().to_dataframe()
        >>> frame.groupby("alpha")["count"].sum().to_dict()
        {-4: 2, 0: 12, 4: 2}
        """
        return dataframe(self._columns())


def dataframe(columns: Mapping[str, Any]) -> Any:
    """Return a table of pandas; a column of integers of which some do not fit 64 bits is one of objects."""
    try:
        import pandas as pd
    except ImportError:
        raise ImportError("tables are handed on by pandas: pip install rbmflow[data]") from None
    return pd.DataFrame({name: _column(values) for name, values in columns.items()})


def _column(values: Any) -> Any:
    import numpy as np

    found = list(values) if not isinstance(values, np.ndarray) else values
    if isinstance(found, list) and any(type(one) is int and abs(one) >= 2**63 for one in found):
        return np.array(found, dtype=object)
    return found
