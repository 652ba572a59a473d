"""How far long work has come: a bar on a terminal, a line now and then where nothing can move."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from experiments.commands.terminal import console

Days = Callable[[float, str], None]
"""Called with the day that has been reached and what happens on it."""
Counted = Callable[[int, int], None]
"""Called with how many are done, and of how many."""
LINES = 10


@contextmanager
def simulated_days(total: int) -> Iterator[Days]:
    """Tell which of so many simulated days has been reached."""
    if not console.is_terminal:
        lines = _Lines()
        yield lambda day, what: lines.tell(day, total, f"day {day:.0f} of {total}: {what}")
        return
    columns = (
        TextColumn("day {task.completed:3.0f} of {task.total:.0f}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("starting the server and the scheduler", total=total)
        yield lambda day, what: bar.update(task, completed=day, description=what)


@contextmanager
def counted(what: str) -> Iterator[Counted]:
    """Tell how many of all are done."""
    if not console.is_terminal:
        lines = _Lines()
        yield lambda done, total: lines.tell(done, total, f"{what}: {done:,} of {total:,}")
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines:
    """A line each time another tenth is done."""

    def __init__(self) -> None:
        self._next = 0.0

    def tell(self, done: float, total: float, line: str) -> None:
        if done >= self._next:
            click.echo(line, err=True)
            self._next = done + total / LINES
