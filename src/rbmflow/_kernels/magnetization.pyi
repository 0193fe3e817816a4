import numpy as np
import numpy.typing as npt

def law(n_sites: int, coupling: float, probabilities: npt.NDArray[np.float64]) -> None: ...
def log_gain(
    n_sites: int,
    coupling: float,
    first: int,
    gain: npt.NDArray[np.float64],
    slope: npt.NDArray[np.float64],
) -> None: ...
def log_law(
    n_sites: int, coupling: float, logarithm: npt.NDArray[np.float64], slope: npt.NDArray[np.float64]
) -> None: ...
