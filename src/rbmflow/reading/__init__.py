"""Files as data from strangers: what they hold is checked before it is used, and refused in one line."""

from typing import TYPE_CHECKING

from rbmflow.lazy import lazily

if TYPE_CHECKING:
    from rbmflow.reading.arrays import read_npy, read_npz
    from rbmflow.reading.columns import Columns
    from rbmflow.reading.refusal import brief, check_names, check_number, refusing
    from rbmflow.reading.sealed import SEAL, parse_json, seal, unseal
    from rbmflow.reading.tables import FileRows, read_array, read_table, rows_of_array
else:
    lazily(
        __name__,
        {
            "arrays": "read_npy read_npz",
            "columns": "Columns",
            "refusal": "brief check_names check_number refusing",
            "sealed": "SEAL parse_json seal unseal",
            "tables": "FileRows read_array read_table rows_of_array",
        },
    )

__all__ = [
    "SEAL",
    "Columns",
    "FileRows",
    "brief",
    "check_names",
    "check_number",
    "parse_json",
    "read_array",
    "read_npy",
    "read_npz",
    "read_table",
    "refusing",
    "rows_of_array",
    "seal",
    "unseal",
]
