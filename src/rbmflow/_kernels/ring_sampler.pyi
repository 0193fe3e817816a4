import numpy as np
import numpy.typing as npt

def sample(
    defect: float,
    antiferromagnetic: bool,
    odd: bool,
    key: npt.NDArray[np.uint64],
    out: npt.NDArray[np.int8],
    level: int,
) -> None: ...
def sample_frustrated(
    probabilities: npt.NDArray[np.float64], key: npt.NDArray[np.uint64], out: npt.NDArray[np.int8]
) -> None: ...
