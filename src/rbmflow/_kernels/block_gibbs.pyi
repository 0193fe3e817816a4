from typing import TypeVar

import numpy as np
import numpy.typing as npt

_Real = TypeVar("_Real", np.float32, np.float64)

def pack(spins: npt.NDArray[np.int8], out: npt.NDArray[np.uint8]) -> None: ...
def sweep(
    weights: npt.NDArray[_Real],
    visible_bias: npt.NDArray[_Real],
    hidden_bias: npt.NDArray[_Real],
    visible: npt.NDArray[np.int8],
    hidden: npt.NDArray[np.int8],
    means: npt.NDArray[_Real],
    k: int,
    scales: npt.NDArray[np.float64],
    from_visible: bool,
    last_hidden: bool,
    clamped: npt.NDArray[np.uint8],
    before: int,
    after: int,
    generator: npt.NDArray[np.uint64],
    level: int,
) -> None: ...
def energies(
    weights: npt.NDArray[_Real],
    visible_bias: npt.NDArray[_Real],
    hidden_bias: npt.NDArray[_Real],
    visible: npt.NDArray[np.int8],
    hidden: npt.NDArray[np.int8],
    out: npt.NDArray[np.float64],
    level: int,
) -> None: ...
def train(
    weights: npt.NDArray[_Real],
    visible_bias: npt.NDArray[_Real],
    hidden_bias: npt.NDArray[_Real],
    data: npt.NDArray[np.uint8],
    order: npt.NDArray[np.int64],
    batch_size: int,
    k: int,
    rate: float,
    decay: float,
    slots: npt.NDArray[_Real],
    first: float,
    second: float,
    epsilon: float,
    n_updates: int,
    offsets: npt.NDArray[_Real],
    chains_visible: npt.NDArray[np.int8],
    chains_hidden: npt.NDArray[np.int8],
    series: npt.NDArray[np.int32],
    generator: npt.NDArray[np.uint64],
    level: int,
    together: npt.NDArray[np.int64],
    n_members: int,
    member: int,
) -> None: ...
