"""Running every study: batches over processes, each with its own stream of random numbers."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from experiments.calibration import fleet, intervals, promotions, retrials, traps
from experiments.calibration.schemas import Outcomes, Study, Table

MAX_PROCESSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A part of a study's experiments, with the seed of its own."""

    study: str
    experiments: int
    seed: np.random.SeedSequence


def studies() -> dict[str, Study]:
    """Every study, in the order of the report."""
    slices = (promotions, intervals, traps, fleet, retrials)
    return {study.key: study for part in slices for study in part.studies()}


def run(*, quick: bool, seed: int, progress: Callable[[int, int], None]) -> list[Table]:
    """Run every study; the same seed gives the same figures, on any number of processes.

    Args:
        quick: run the small number of experiments of each study, not the full one.
        seed: where all randomness comes from.
        progress: told how many batches of how many are done.

    Returns:
        The table of each study.
    """
    batches = list(_batches(quick=quick, seed=seed))
    parts: dict[str, list[Outcomes]] = {key: [] for key in studies()}
    with ProcessPoolExecutor(min(MAX_PROCESSES, os.cpu_count() or 1)) as pool:
        for done, (batch, outcomes) in enumerate(
            zip(batches, pool.map(run_batch, batches), strict=True), start=1
        ):
            parts[batch.study].append(outcomes)
            progress(done, len(batches))
    return [_table(study, parts[key]) for key, study in studies().items()]


def run_batch(batch: Batch) -> Outcomes:
    """Run the experiments of one batch."""
    return studies()[batch.study].batch(batch.experiments, np.random.default_rng(batch.seed))


def _batches(*, quick: bool, seed: int) -> Iterator[Batch]:
    found = studies().values()
    for study, root in zip(found, np.random.SeedSequence(seed).spawn(len(found)), strict=True):
        total = study.quick if quick else study.full
        sizes = [min(study.size, total - first) for first in range(0, total, study.size)]
        for size, own in zip(sizes, root.spawn(len(sizes)), strict=True):
            yield Batch(study=study.key, experiments=size, seed=own)


def _table(study: Study, parts: list[Outcomes]) -> Table:
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Table(
        key=study.key,
        title=study.title,
        how=study.how,
        experiments=len(next(iter(columns.values()))),
        rows=list(study.rows(columns)),
    )
