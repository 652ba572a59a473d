"""All golden cases through a thin table from the name of a method to a function of the engine.

The cases come from `conftest.py`, the table from the modules in `golden/`. An adapter there only
renames: it builds the arguments from the case and returns a dictionary of outputs; `status`
follows from what the engine raised or returned.
"""

import pytest

from stats.errors import InvalidInputError
from tests.stats.golden import bayes, fixed, robustness, sequential

METHODS = {
    **fixed.METHODS,
    **sequential.METHODS,
    **bayes.METHODS,
    "robustness": robustness.robustness,
}


def run(method, inputs):
    try:
        found = METHODS[method](inputs)
    except InvalidInputError as error:
        return {"status": "invalid_input", "may_promote": False, "reason": str(error)}
    return {"may_promote": False} | found if found["status"] == "not_enough_data" else found


def agrees(computed, expected, tolerance):
    if expected is None or isinstance(expected, str | bool):
        return computed == expected
    return pytest.approx(expected, **tolerance) == float(computed)


def test_golden_case__computed_by_the_engine__agrees_within_its_tolerance(golden_case):
    found = run(golden_case["method"], golden_case["inputs"])
    for name, expected in golden_case["expected"].items():
        if name == "p_two_sided_at_most":
            assert 0 <= found["p_two_sided"] <= expected
        elif isinstance(expected, list):
            pairs = zip(found[name], expected, strict=True)
            assert all(agrees(*pair, golden_case["tolerance"]) for pair in pairs), name
        else:
            assert agrees(found[name], expected, golden_case["tolerance"]), name


def test_golden_sequence__job_runs_again_on_the_same_data__changes_no_p_value():
    arms = {
        "control": {"visitors": 5000, "conversions": 250},
        "treatment": {"visitors": 5100, "conversions": 310},
    }
    for looks in (3, [arms, arms]):
        found = run("robustness", {"analysis": "sequence", "looks": looks, **arms})
        assert found["p_same_as_single_look"] is True
