"""One thread for every peer: processor time counts those of a threaded BLAS together, and they wait in loops."""

import pytest
import threadpoolctl


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    with threadpoolctl.threadpool_limits(1):
        yield
