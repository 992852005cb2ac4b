"""Each check of the schema refuses what it should, under its name, and accepts the boundary."""

import pytest
from psycopg import Connection, errors

from tests.models import cases_engine, cases_learning, cases_money, cases_people
from tests.models.cases import Case, Values, resolve
from tests.models.tables import FACTORIES

CASES: list[Case] = cases_people.CASES + cases_learning.CASES + cases_engine.CASES + cases_money.CASES

REFUSED = [
    pytest.param(case, values, id=f"{case.constraint}-{number}")
    for case in CASES
    for number, values in enumerate(case.refused)
]
ACCEPTED = [
    pytest.param(case, values, id=f"{case.constraint}-{number}")
    for case in CASES
    for number, values in enumerate(case.accepted)
]

CHECKS_OF_THE_SCHEMA = """
SELECT conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND NOT relispartition
"""


@pytest.mark.parametrize(("case", "values"), REFUSED)
def test_check_refuses_a_bad_row_under_its_own_name(database: Connection, case: Case, values: Values):
    row = resolve(database, values)
    with pytest.raises(errors.CheckViolation) as refused, database.transaction():
        FACTORIES[case.table](database, **row)
    assert refused.value.diag.constraint_name == case.constraint
    assert refused.value.diag.table_name is not None


@pytest.mark.parametrize(("case", "values"), ACCEPTED)
def test_check_accepts_a_row_at_its_boundary(database: Connection, case: Case, values: Values):
    FACTORIES[case.table](database, **resolve(database, values))


def test_each_check_of_the_schema_has_one_case(database: Connection):
    in_schema = sorted(name for (name,) in database.execute(CHECKS_OF_THE_SCHEMA))
    assert sorted(case.constraint for case in CASES) == in_schema


def test_each_case_refuses_and_accepts_something():
    assert all(case.refused and case.accepted for case in CASES)
