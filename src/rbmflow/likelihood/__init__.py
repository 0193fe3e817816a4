"""ln Z of machines, exact or estimated with an error, and with it likelihoods."""

from rbmflow.likelihood.partition import LogPartition, log_partition

__all__ = ["LogPartition", "log_partition"]


def __dir__() -> list[str]:
    return __all__
