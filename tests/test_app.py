import os
import subprocess
import sys

HEAVY = ("altair", "pandas", "pyarrow", "duckdb", "scipy.optimize", "scipy.special", "typst")


def test_worker__when_started__then_holds_no_library_that_only_some_requests_need(tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", "import sys, app; app.create_worker(); print(*sys.modules)"],
        env={**os.environ, "DESIRELINE_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "api.hotpath" in told
    assert not {name for name in HEAVY if name in told}
