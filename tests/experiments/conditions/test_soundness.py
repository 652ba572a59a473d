import re
from typing import Any

import pytest

from experiments.conditions import check_condition


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"plan": "pro"},
        {"plan": None, "visits": {"$gte": 3, "$lt": 10}},
        {"$and": [{"age": {"$gt": 30}}, {"$or": [{"age": 18}, {"$not": {"vip": True}}]}]},
        {"country": {"$in": ["de", "at"]}, "tags": {"$all": ["a", {"$regex": "^b"}]}},
        {"items": {"$elemMatch": {"sku": {"$regex": "^A"}}}, "tags": {"$elemMatch": {"$eq": "a"}}},
        {"version": {"$vgte": "1.2.0"}, "tags": {"$size": {"$gt": 2}}},
        {"email": {"$exists": True, "$type": "string"}, "id": {"$inGroup": "staff"}},
        {"address": {"city": "Berlin"}},
    ],
)
def test_check_condition__sound__passes(condition: dict[str, Any]) -> None:
    assert check_condition(condition) is None


@pytest.mark.parametrize(
    ("condition", "field", "fix"),
    [
        ({"age": {"$gtt": 3}}, "age", "$gtt is no known operator"),
        ({"$xor": []}, "$xor", "use $and, $or, $nor or $not"),
        ({"$or": {"a": 1}}, "$or", "needs a list"),
        ({"$and": ["a"]}, "condition", "must be an object"),
        ({"age": {"$gt": "30"}}, "age", "write 30 without quotes"),
        ({"age": {"$gt": True}}, "age", "needs a number or text"),
        ({"age": {"$gt": 30, "$lt": "old"}}, "age", "use the type that the attribute has"),
        ({"$or": [{"age": 30}, {"age": "thirty"}]}, "age", "(30)"),
        ({"plan": {"$in": ["pro", 3]}}, "plan", "a number (3)"),
        ({"plan": {"$in": "pro"}}, "plan", "needs a list, for example ['pro']"),
        ({"name": {"$regex": "("}}, "name", "is broken"),
        ({"name": {"$regex": 3}}, "name", "needs a pattern in quotes"),
        ({"age": {"$gt": 3, "unit": "years"}}, "age", "mixes operators with plain keys"),
        ({"email": {"$exists": "yes"}}, "email", "needs true or false"),
        ({"email": {"$type": "text"}}, "email", "needs one of string, number"),
        ({"version": {"$vgt": 1.2}}, "version", "needs text in quotes"),
        ({"items": {"$elemMatch": {"n": {"$gt": "3"}}}}, "n", "without quotes"),
        ({"items": {"$elemMatch": {"$gtt": 3}}}, "items[]", "no known operator"),
        ({"tags": {"$size": {"$gt": "3"}}}, "the size of tags", "without quotes"),
        ({"age": {"$not": {"$gtt": 3}}}, "age", "no known operator"),
    ],
)
def test_check_condition__unsound__names_field_and_fix(
    condition: dict[str, Any], field: str, fix: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(fix)) as caught:
        check_condition(condition)
    assert str(caught.value).startswith(f"{field}: ")
