"""Ports and secrets are chosen before anything starts, or the operator is told which setting is wrong."""

import socket
from collections.abc import Callable, Iterator

import pytest

from worker.embedded import Servers
from worker.embedded.ports import free_port, is_free
from worker.errors import ConfigurationError
from worker.flower import flower_environment
from worker.settings import Settings
from worker.supervisor.health import reachable_host
from worker.supervisor.platform import process_environment, with_ports, with_secrets

ALL = {"api", "flower", "worker"}


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "ELP_API_TOKEN and ELP_FLOWER_AUTH are not set"),
        ({"api_token": "x"}, "ELP_FLOWER_AUTH is not set"),
        ({"flower_auth": "a:b"}, "ELP_API_TOKEN is not set"),
    ],
)
def test_missing_secret_is_named_with_the_remedy(
    settings: Callable[..., Settings], given: dict[str, str], missing: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"^{missing}.*--demo-secrets"):
        with_secrets(settings(**given), ALL, demo_secrets=False)


def test_secret_of_a_process_that_does_not_run_is_not_asked_for(settings: Callable[..., Settings]) -> None:
    assert with_secrets(settings(), {"worker"}, demo_secrets=False).api_token is None


def test_demo_secrets_are_random_and_never_replace_given_ones(settings: Callable[..., Settings]) -> None:
    one, other = (with_secrets(settings(flower_auth="me:mine"), ALL, demo_secrets=True) for _ in range(2))
    assert one.api_token is not None
    assert one.api_token != other.api_token
    assert len(one.api_token.get_secret_value()) >= 32
    assert one.flower_auth is not None
    assert one.flower_auth.get_secret_value() == "me:mine"


@pytest.mark.parametrize("login", ["nocolon", ":password", "user:", "user:pass,word"])
def test_flower_login_that_flower_would_misread_is_refused(settings: Callable[..., Settings], login: str) -> None:
    with pytest.raises(ConfigurationError, match="ELP_FLOWER_AUTH: "):
        with_secrets(settings(api_token="x", flower_auth=login), ALL, demo_secrets=False)


def test_flower_is_closed_without_a_login(settings: Callable[..., Settings]) -> None:
    with pytest.raises(ConfigurationError, match="ELP_FLOWER_AUTH is not set"):
        flower_environment(settings())


def test_flower_listens_on_this_machine_only_and_keeps_its_sessions(settings: Callable[..., Settings]) -> None:
    one, other = (flower_environment(settings(flower_auth="me:mine")) for _ in range(2))
    assert one == other
    assert one["FLOWER_ADDRESS"] == "127.0.0.1"
    assert one["FLOWER_COOKIE_SECRET"] != flower_environment(settings(flower_auth="me:other"))["FLOWER_COOKIE_SECRET"]


def test_named_port_that_is_taken_is_an_error(settings: Callable[..., Settings], taken_port: int) -> None:
    with pytest.raises(ConfigurationError, match=f"ELP_API_PORT: port {taken_port} is in use"):
        with_ports(settings(api_port=taken_port), ALL)


def test_default_port_that_is_taken_gives_way_to_the_next_free_one(
    settings: Callable[..., Settings], taken_port: int
) -> None:
    current = settings()
    moved = current.model_copy(update={"api_port": taken_port})
    moved.model_fields_set.discard("api_port")  # as if it were the default
    chosen = with_ports(moved, ALL)
    assert taken_port < chosen.api_port < taken_port + 100
    assert is_free(chosen.api_port)
    assert chosen.flower_port != chosen.api_port


def test_port_zero_means_any_free_one(settings: Callable[..., Settings]) -> None:
    chosen = with_ports(settings(api_port=0, flower_port=0), ALL)
    assert is_free(chosen.api_port)
    assert is_free(chosen.flower_port)


def test_processes_learn_what_was_chosen(settings: Callable[..., Settings]) -> None:
    chosen = settings(api_port=8123, api_token="t0ken", flower_auth="me:mine")
    environment = process_environment(chosen, Servers("postgresql://db/elp", "redis://cache/0"), {"HOME": "/home/me"})
    assert environment == {
        "HOME": "/home/me",
        "ELP_DATABASE_URL": "postgresql://db/elp",
        "ELP_REDIS_URL": "redis://cache/0",
        "ELP_API_PORT": "8123",
        "ELP_API_TOKEN": "t0ken",
        "ELP_FLOWER_PORT": "5555",
        "ELP_FLOWER_AUTH": "me:mine",
        "ELP_LOG_FORMAT": "console",
        "PYTHONUNBUFFERED": "1",
    }


def test_log_format_that_was_asked_for_is_kept(settings: Callable[..., Settings]) -> None:
    environment = process_environment(settings(log_format="json"), Servers("a", "b"), {"ELP_LOG_FORMAT": "json"})
    assert environment["ELP_LOG_FORMAT"] == "json"


def test_server_on_all_addresses_is_reached_on_this_machine() -> None:
    assert [reachable_host(host) for host in ("0.0.0.0", "::", "10.0.0.7")] == ["127.0.0.1", "::1", "10.0.0.7"]
