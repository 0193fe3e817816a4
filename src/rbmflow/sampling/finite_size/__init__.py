"""What sizes say together of a critical point: crossings, peaks, quotients, extrapolation, collapse.

Each takes what `rbmflow.sampling.reweight` makes of the runs at one size. Errors are of one jackknife that
leaves out a block of the runs at every size at once, so that they hold whatever the sizes have in common.
"""

from rbmflow.sampling.finite_size.collapse import Collapse, collapse
from rbmflow.sampling.finite_size.crossings import Crossing, Peak, crossing, level, peak
from rbmflow.sampling.finite_size.exponents import Exponent, exponent
from rbmflow.sampling.finite_size.extrapolation import Extrapolation, extrapolate
from rbmflow.sampling.finite_size.jackknifed import Jackknifed
from rbmflow.sampling.finite_size.sizes import linear_size

__all__ = [
    "Collapse",
    "Crossing",
    "Exponent",
    "Extrapolation",
    "Jackknifed",
    "Peak",
    "collapse",
    "crossing",
    "exponent",
    "extrapolate",
    "level",
    "linear_size",
    "peak",
]


def __dir__() -> list[str]:
    return __all__
