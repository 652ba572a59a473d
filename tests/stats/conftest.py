"""The golden cases, from the file in `GOLDEN_CASES` or beside the checkout."""

import json
import math
import os
from pathlib import Path

import pytest

BESIDE_CHECKOUT = Path(__file__).parents[3] / "shared" / "golden" / "cases.jsonl"
SPECIAL_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def pytest_generate_tests(metafunc):
    if "golden_case" in metafunc.fixturenames:
        metafunc.parametrize("golden_case", golden_cases())


def golden_cases():
    file = Path(os.environ.get("GOLDEN_CASES", BESIDE_CHECKOUT))
    if not file.is_file():
        skip = pytest.mark.skip(reason=f"no golden cases at {file}; set GOLDEN_CASES")
        return [pytest.param(None, marks=skip)]
    cases = [json.loads(line) for line in file.read_text().splitlines() if line]
    for case in cases:
        case["inputs"] = with_special_numbers(case["inputs"])
    return [pytest.param(case, id=case["id"]) for case in cases]


def with_special_numbers(value):
    """Turn the words that stand for special numbers in JSON into numbers."""
    if isinstance(value, dict):
        return {key: with_special_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_special_numbers(item) for item in value]
    return SPECIAL_NUMBERS.get(value, value) if isinstance(value, str) else value
