"""Processor time of jobs on one thread, in turns: the clock on the wall counts what else the machine does."""

import time

SHORTEST = 0.02
"""Seconds that a measurement takes at least: short jobs are called many times."""


def least_seconds(*jobs, rounds=5):
    """Return the least processor seconds of a call of each job."""
    numbers = [_calls(job) for job in jobs]
    best = [float("inf")] * len(jobs)
    for _ in range(rounds):
        for index, (job, number) in enumerate(zip(jobs, numbers, strict=True)):
            best[index] = min(best[index], _seconds(job, number) / number)
    return best


def _calls(job):
    seconds = _seconds(job, 1)  # the first call also warms up
    return max(1, round(SHORTEST / max(seconds, 1e-6)))


def _seconds(job, number):
    begin = time.process_time()
    for _ in range(number):
        job()
    return time.process_time() - begin
