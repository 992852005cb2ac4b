"""A real worker makes edits searchable, also while Redis is away."""

import pytest

from tests.factories import make_question
from tests.support.processes import wait_until

pytestmark = pytest.mark.processes


@pytest.fixture
def worker(program, database_url, tmp_path):
    """Start a worker on this database and a Redis: `worker(url)`."""

    def start(redis_url):
        command = ["python", "-m", "celery", "-A", "worker.app", "worker", "-n", "one@test", "-c", "1"]
        command += ["--without-gossip", "--without-mingle"]
        variables = {"ELP_REDIS_URL": redis_url, "ELP_DATA_DIR": str(tmp_path), "REMAP_SIGTERM": "SIGQUIT"}
        started = program(*command, **variables)
        return started.start(ready=lambda: "ready." in started.output(), timeout_s=90)

    return start


def is_searchable(connection, question):
    row = connection.execute("SELECT search_vector IS NOT NULL FROM questions WHERE id = %s", [question]).fetchone()
    return row == (True,)


def test_a_worker_refreshes_what_editors_commit_with_and_without_redis(worker, committed, valkey_server):
    broker = valkey_server()
    started = worker(broker.url)
    question = make_question(committed)
    wait_until(lambda: is_searchable(committed, question), timeout_s=90, what="the first vector")
    broker.stop()
    question = make_question(committed)
    wait_until(lambda: is_searchable(committed, question), timeout_s=90, what="the vector without Redis")
    started.kill()
    assert committed.execute("SELECT count(*) FROM search_dirty").fetchone() == (0,)
