"""Judging the public data sets: which files, by which mappings, on how many processes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path

from experiments.errors import MalformedError
from experiments.evidence.looking import Order, stories
from experiments.evidence.schemas import Collection, Evidence, Story
from experiments.imports.mapping import read_mapping
from experiments.imports.schemas import AnyMapping, SnapshotsMapping

MAPPINGS = Path(__file__).parents[2] / "docs" / "how-to" / "import-mappings"
ASOS, UPWORTHY = "asos_snapshots_a.csv.gz", "upworthy_headlines_a.csv.gz"
PROCESSES = 2
ASOS_PARTS, UPWORTHY_PARTS = 2, 1
"""Fixed, because what is learned of the size of effects is learned inside a share."""


def judge_all(
    folder: Path, *, tests: int | None, now: datetime, progress: Callable[[int, int], None]
) -> Evidence:
    """Judge every data set that is in the folder.

    Args:
        folder: where the files are.
        tests: how many of the headline tests, the oldest first; all when nothing.
        now: the time at which the data count as received.
        progress: told how many shares of how many are done.

    Raises:
        MalformedError: when none of the files is there.
    """
    orders = list(_orders(folder, tests=tests, now=now))
    if not orders:
        message = f"Neither {ASOS} nor {UPWORTHY} is in {folder}."
        raise MalformedError(message)
    told: dict[str, list[Story]] = {}
    with ProcessPoolExecutor(PROCESSES) as pool:
        for done, (order, found) in enumerate(
            zip(orders, pool.map(stories, orders), strict=True), start=1
        ):
            told.setdefault(order.file.name, []).extend(found)
            progress(done, len(orders))
    return evidence(told)


def evidence(told: dict[str, list[Story]]) -> Evidence:
    """What was told of each file, in the order in which the experiments began."""
    found = {
        file: Collection(file=file, stories=sorted(items, key=lambda it: (it.began, it.experiment)))
        for file, items in told.items()
    }
    return Evidence(asos=found.get(ASOS), upworthy=found.get(UPWORTHY))


def _orders(folder: Path, *, tests: int | None, now: datetime) -> Iterator[Order]:
    """The share that takes longest comes first."""
    for name, mapping, parts, most in (
        (UPWORTHY, read_mapping(MAPPINGS / "upworthy.yaml"), UPWORTHY_PARTS, tests),
        (ASOS, _yes_or_no(read_mapping(MAPPINGS / "asos.yaml")), ASOS_PARTS, None),
    ):
        file = folder / name
        if file.exists():
            for part in range(parts):
                yield Order(mapping=mapping, file=file, now=now, part=part, parts=parts, most=most)


def _yes_or_no(mapping: AnyMapping) -> AnyMapping:
    """The first metric only, a conversion: the others would take time and decide nothing."""
    if not isinstance(mapping, SnapshotsMapping):
        return mapping
    return mapping.model_copy(update={"metrics": mapping.metrics[:1]})
