"""Long work tells how far it has come, also where no bar can be drawn."""

from experiments.commands.progress import counted, simulated_days


def test_counted__without_a_terminal__tells_a_line_for_each_tenth(capsys):
    with counted("rows stored") as progress:
        for done in range(0, 2001, 50):
            progress(done, 2000)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["rows stored: 0 of 2,000", "rows stored: 200 of 2,000"]
    assert (len(lines), lines[-1]) == (11, "rows stored: 2,000 of 2,000")


def test_simulated_days__without_a_terminal__tells_what_happens(capsys):
    with simulated_days(28) as progress:
        for day in range(29):
            progress(day, "visitors come")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["day 0 of 28: visitors come", "day 3 of 28: visitors come"]
    assert len(lines) == 10
