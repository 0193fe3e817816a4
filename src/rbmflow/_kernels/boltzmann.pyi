import numpy as np
import numpy.typing as npt

def sweep(
    spins: npt.NDArray[np.float32],
    generator: npt.NDArray[np.uint64],
    couplings: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32],
    order: npt.NDArray[np.int32],
    thin: int,
    samples: npt.NDArray[np.int8],
    level: int,
) -> None: ...
