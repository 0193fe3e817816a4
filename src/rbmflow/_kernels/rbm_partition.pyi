import numpy as np
import numpy.typing as npt

def sum_states(
    low: npt.NDArray[np.float64],
    low_value: npt.NDArray[np.float64],
    low_exponent: npt.NDArray[np.int64],
    middle: npt.NDArray[np.float64],
    middle_value: npt.NDArray[np.float64],
    middle_exponent: npt.NDArray[np.int64],
    high: npt.NDArray[np.float64],
    stops: npt.NDArray[np.int64],
    scratch: npt.NDArray[np.float64],
    scales: npt.NDArray[np.int64],
    sums: npt.NDArray[np.float64],
    exponents: npt.NDArray[np.int64],
    level: int,
) -> None: ...
