"""Moving what was committed into the files that analyses read."""

from experiments.columnar import moving
from experiments.runtime import Runtime


def move(runtime: Runtime) -> str:
    """Move every event and exposure that is committed by now."""
    moved = moving.move(runtime.engine, runtime.columnar, now=runtime.clock.now())
    told = ", ".join(f"{rows} {kind}s" for kind, rows in moved.items() if rows)
    return f"moved {told}" if told else ""
