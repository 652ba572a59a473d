"""Moving what was committed into the files that analyses read, and keeping these in order."""

from experiments.columnar import compacting, forgetting, moving, parting, retiring
from experiments.runtime import Runtime


def move(runtime: Runtime) -> str:
    """Move every event and exposure that is committed by now."""
    moved = moving.move(runtime.engine, runtime.columnar, now=runtime.clock.now())
    return _told("moved", {f"{kind}s": rows for kind, rows in moved.items()})


def tidy(runtime: Runtime) -> str:
    """Let old files go, take out forgotten visitors, put the others in order."""
    store, now = (runtime.engine, runtime.columnar), runtime.clock.now()
    keep_days = runtime.settings.columnar_days
    counts = {
        "files too old": retiring.retire(runtime.engine, keep_days=keep_days, now=now),
        "files of forgotten visitors": forgetting.fulfil(*store, now=now),
        "files put into others": compacting.compact(*store, now=now),
        "files parted by visitors": parting.part(*store, now=now),
        "files removed": retiring.sweep(*store, now=now),
    }
    return _told("tidied:", counts)


def _told(verb: str, counts: dict[str, int]) -> str:
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"{verb} {told}" if told else ""
