import numpy as np
import numpy.typing as npt

FEWEST_SITES: int
MOST_SITES: int

def tally(
    constant: int,
    linear: npt.NDArray[np.int32],
    pairs: npt.NDArray[np.int32],
    first: int,
    last: int,
    copies: npt.NDArray[np.uint32],
    counts: npt.NDArray[np.uint64],
) -> None: ...
def extremes(
    linear: npt.NDArray[np.float64],
    pairs: npt.NDArray[np.float64],
    first: int,
    last: int,
    bounds: npt.NDArray[np.float64],
    level: int,
) -> None: ...
def weigh(
    linear: npt.NDArray[np.float64],
    pairs: npt.NDArray[np.float64],
    first: int,
    last: int,
    reference: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    moments: npt.NDArray[np.float64],
    level: int,
) -> None: ...
