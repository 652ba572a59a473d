"""Files that hold many experiments."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from experiments.analysis.queries import runs
from experiments.analysis.schemas import Readout
from experiments.audit.schemas import Actor
from experiments.database import reading, transaction
from experiments.decisions.service import decide
from experiments.imports.schemas import ImportSummary, Refusal
from experiments.reports.service import weekly

Import = Callable[[str, str], ImportSummary]
Read = Callable[[str], Readout]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_upworthy__imported__then_verdicts_on_all_and_one_report(
    store: Engine, import_real: Import, read_out: Read, now: datetime, actor: Actor
) -> None:
    summary = import_real("upworthy", "upworthy_headlines_a.csv.gz")
    assert (summary.rows, summary.rejected, len(summary.experiments)) == (11_295, 0, 2_438)
    ratios = [read_out(key).quality.sample_ratio for key in summary.experiments]
    verdicts = Counter((ratio.warning, ratio.alarm) for ratio in ratios)
    # The authors say that a part of the tests has randomisation problems, and most have none.
    assert 2_438 * 0.6 < verdicts[False, False] < 2_438
    for key in summary.experiments:
        with transaction(store) as session:
            decide(session, key, actor=actor, now=now)
    with transaction(store) as session:
        report = weekly(session, now=now + timedelta(hours=1), week=f"{now:%G-W%V}")
    assert sum(report.body.outcomes.values()) == 2_438


def test_asos__imported__then_looked_at_one_after_the_other(
    store: Engine, import_real: Import, read_out: Read
) -> None:
    summary = import_real("asos", "asos_snapshots_a.csv.gz")
    assert (summary.rows, summary.reasons) == (12_596, {Refusal.UNREADABLE: 21})
    assert len(summary.experiments) == 44
    newest = read_out("asos-591c2c")
    with reading(store) as session:
        looks = list(reversed(runs(session, "asos-591c2c")))
    assert len(looks) > 7
    assert [run.look for run in looks] == list(range(1, len(looks) + 1))
    assert [run.as_of for run in looks] == sorted(run.as_of for run in looks)
    assert newest == looks[-1].readout
    # The file's last snapshot of this experiment has 34,497 and 34,626 users.
    assert [arm.visitors for arm in newest.primary.arms] == [34_497, 34_626]


@pytest.mark.slow
def test_asos__every_experiment__then_each_ends_with_a_readout(
    import_real: Import, read_out: Read
) -> None:
    summary = import_real("asos", "asos_snapshots_a.csv.gz")
    readouts = [read_out(key) for key in summary.experiments]
    assert all(readout.finished for readout in readouts)
