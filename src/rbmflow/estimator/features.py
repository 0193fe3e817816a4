"""Features of scikit-learn as rows of spins: thresholds, truth values, sparse matrices, gaps, grey values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import validate_data

from rbmflow.arguments import SpinArray, check_flag, check_real_scalar, refuse_mask
from rbmflow.training import Grey
from rbmflow.training.data import Data, check_data


def read_features(estimator: Any, X: object, *, reset: bool, sample_weight: object) -> Data:
    """Return the data of an estimator with `grey` and `threshold` as rows of spins, with gaps or grey."""
    refuse_mask("X", X)
    kinds = [kind for kind in (getattr(X, "dtype", None), *getattr(X, "dtypes", ())) if kind is not None]
    truths = bool(kinds) and all(kind == bool for kind in kinds)
    values = validate_data(
        estimator,
        X,
        dtype=(np.float64, np.float32),
        accept_sparse="csr",
        ensure_all_finite="allow-nan",
        reset=reset,
    )
    if hasattr(values, "tocoo"):
        values = values.copy()  # entries of one place add up
        values.sum_duplicates()
    if check_flag("grey", estimator.grey):
        rows: Any = Grey(values.toarray() if hasattr(values, "toarray") else values)
    else:
        threshold = 0.5 if truths else check_real_scalar("threshold", estimator.threshold)
        spins, missing = _above(values, threshold)
        rows = spins if missing is None else Data(spins, missing=missing)
    return check_data(rows, None, "X", sample_weight)


def refuse_gaps(data: Data) -> None:
    """Raise where a value is missing."""
    if data.missing is not None:
        row, column = np.argwhere(data.missing)[0]
        raise ValueError(
            f"X holds NaN in row {row}, column {column}, from 0: whole rows are needed, see complete"
        )


def _above(values: Any, threshold: float) -> tuple[SpinArray, npt.NDArray[np.bool_] | None]:
    """Return spins that say what is above a threshold, of numbers or a sparse matrix, and what is missing."""
    sparse = hasattr(values, "tocoo")
    stored = values.data if sparse else values
    zeros = (sparse and values.nnz < values.shape[0] * values.shape[1]) or bool((stored == 0).any())
    gaps = np.isnan(stored)
    if threshold <= 0 and zeros and (np.isin(stored, (0, 1)) | gaps).all():
        raise ValueError(
            f"X holds only 0 and 1, of which none is below threshold={threshold:g}: "
            "give threshold=0.5, or spins 2 * X - 1"
        )
    up = np.where(stored > threshold, np.int8(1), np.int8(-1))
    if not sparse:
        return up, gaps if gaps.any() else None
    entries = values.tocoo()
    spins = np.full(values.shape, np.int8(1 if threshold < 0 else -1))
    spins[entries.row, entries.col] = up
    missing = np.zeros(values.shape, dtype=bool)
    missing[entries.row, entries.col] = gaps
    return spins, missing if gaps.any() else None
