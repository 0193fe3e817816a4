"""The scikit-learn face of the restricted Boltzmann machine (extra ``learn``)."""

try:
    from rbmflow.estimator.machine import IsingRBM
except ImportError as error:
    if not (error.name or "").startswith("sklearn"):
        raise
    raise ImportError(
        "rbmflow.estimator needs scikit-learn 1.6 or later: pip install rbmflow[learn]"
    ) from error

__all__ = ["IsingRBM"]


def __dir__() -> list[str]:
    return __all__
