import psycopg

from tests.api.server import ApiServer


def test_a_migrated_database_makes_it_ready(api):
    readiness = api.client.get("/v1/health/ready")
    assert readiness.status_code == 200
    state = readiness.json()
    assert state["status"] == "ready"
    assert state["database"]["reachable"]
    assert state["database"]["revision"] == state["database"]["expected_revision"]
    assert state["redis"] == "not configured"


def test_redis_is_reported_and_not_required(committed_url, redis_url):
    with ApiServer(committed_url, redis_url=redis_url) as api:
        assert api.client.get("/v1/health/ready").json()["redis"] == "ok"
    with ApiServer(committed_url, redis_url="redis://127.0.0.1:1/0") as api:
        readiness = api.client.get("/v1/health/ready")
        assert (readiness.status_code, readiness.json()["redis"]) == (200, "down")


def test_an_old_schema_makes_it_not_ready_and_not_dead(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    with ApiServer(database_url) as api:
        readiness = api.client.get("/v1/health/ready")
        assert readiness.status_code == 503
        assert readiness.headers["retry-after"] == "1"
        assert readiness.json()["status"] == "not ready"
        assert readiness.json()["database"]["revision"] == "0001"
        assert api.client.get("/v1/health").json() == {"status": "ok"}


def test_without_a_database_it_is_not_ready_and_says_nothing_internal():
    with ApiServer("postgresql://nobody:secret@127.0.0.1:1/nothing") as api:
        readiness = api.client.get("/v1/health/ready")
        assert readiness.status_code == 503
        assert readiness.json()["database"]["reachable"] is False
        assert "127.0.0.1" not in readiness.text
        assert api.client.get("/v1/health").status_code == 200
