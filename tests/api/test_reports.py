"""The weekly reports over HTTP."""

from datetime import timedelta

from experiments.accounts.schemas import Scope
from experiments.database import transaction
from experiments.reports import service


def test_report__written__is_the_same_in_the_list_and_alone(app, client, token, now):
    headers = token(Scope.READ)
    with transaction(app.extensions["desireline"].engine) as session:
        report = service.weekly(session, now=now + timedelta(days=7))

    listed = client.get("/api/v1/reports", headers=headers).json["data"]
    alone = client.get(f"/api/v1/reports/{report.week}", headers=headers).json

    assert listed == [alone]
    assert alone["data_hash"] == report.data_hash


def test_report__not_written__is_a_problem(client, token):
    response = client.get("/api/v1/reports/2020-W01", headers=token(Scope.READ))

    assert response.status_code == 404
    assert response.json["detail"] == "There is no report '2020-W01'."


def test_reports__token_without_the_scope__is_refused(client, token):
    assert client.get("/api/v1/reports", headers=token(Scope.INGEST)).status_code == 403
