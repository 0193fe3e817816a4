import numpy as np
import numpy.typing as npt

def scratch_sizes(n_units: int) -> tuple[int, int]: ...
def sweep(
    spins: npt.NDArray[np.float32],
    generators: npt.NDArray[np.uint64],
    couplings: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32],
    order: npt.NDArray[np.int32],
    thin: int,
    table: npt.NDArray[np.float32],
    entries: npt.NDArray[np.uint32],
    samples: npt.NDArray[np.int8],
    level: int,
) -> None: ...
