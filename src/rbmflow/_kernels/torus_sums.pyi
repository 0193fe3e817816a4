import numpy as np
import numpy.typing as npt

ZEROS: int
MOST_SITES: int
MOST_WEIGHED_SITES: int

def counts(
    width: int,
    length: int,
    first: int,
    p: int,
    table: npt.NDArray[np.uint64],
    counts: npt.NDArray[np.uint64],
    level: int,
) -> None: ...
def weights(
    width: int,
    length: int,
    first: int,
    staggered: bool,
    x: float,
    table: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    level: int,
) -> None: ...
