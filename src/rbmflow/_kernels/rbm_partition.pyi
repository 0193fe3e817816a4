import numpy as np
import numpy.typing as npt

def fewest_units() -> int: ...
def high_units(n_units: int) -> int: ...
def scratch_sizes(n_traced: int, n_units: int) -> tuple[int, int]: ...
def log_sums(
    weights: npt.NDArray[np.float64],
    traced_bias: npt.NDArray[np.float64],
    bias: npt.NDArray[np.float64],
    first: int,
    last: int,
    doubles: npt.NDArray[np.float64],
    integers: npt.NDArray[np.int64],
    logs: npt.NDArray[np.float64],
    level: int,
) -> bool: ...
def log_of_sum(logs: npt.NDArray[np.float64]) -> float: ...
def state_weights(
    weights: npt.NDArray[np.float64],
    traced_bias: npt.NDArray[np.float64],
    bias: npt.NDArray[np.float64],
    first: int,
    last: int,
    doubles: npt.NDArray[np.float64],
    integers: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    scales: npt.NDArray[np.float64],
    level: int,
) -> bool: ...
def moments(
    weights: npt.NDArray[np.float64],
    traced_bias: npt.NDArray[np.float64],
    bias: npt.NDArray[np.float64],
    first: int,
    last: int,
    log_partition: float,
    doubles: npt.NDArray[np.float64],
    integers: npt.NDArray[np.int64],
    low: npt.NDArray[np.float64],
    middle: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    level: int,
) -> bool: ...
