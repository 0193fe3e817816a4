import numpy as np
import numpy.typing as npt

def transform(x: npt.NDArray[np.float64], n_sites: int, level: int) -> None: ...
