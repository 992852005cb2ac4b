"""Settings come from ELP_ variables; a wrong one is reported by that name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from worker.db.engines import driver_url, libpq_url
from worker.errors import ConfigurationError
from worker.settings import Settings

NAMED_ONLY_WHERE_NEEDED = ("trusted_proxies", "cors_origins")


def test_everything_has_a_default_but_addresses_and_secrets(settings: Callable[..., Settings]) -> None:
    unset = {name for name in Settings.model_fields if getattr(settings(), name) is None}
    gateways = {"midtrans_server_key", "xendit_secret_key", "xendit_callback_token"}
    gateways |= {"stripe_secret_key", "stripe_webhook_secret", "stripe_url"}
    places = {f"backup_{name}" for name in ("repository", "key", "postgres_bin", "spool_dir", "scratch_dir")}
    needed = {"database_url", "redis_url", "api_token", "flower_auth", "encryption_keys"}
    assert unset == needed | gateways | places | set(NAMED_ONLY_WHERE_NEEDED)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_port", "http"),
        ("api_port", "65536"),
        ("api_port", "-1"),
        ("flower_port", "70000"),
        ("database_pool_size", "0"),
        ("drain_batch_size", "0"),
        ("attempts_max_batch", "10001"),
        ("log_level", "LOUD"),
        ("log_format", "xml"),
        ("database_url", "mysql://localhost/elp"),
        ("database_url", "localhost/elp"),
        ("redis_url", "amqp://localhost"),
    ],
)
def test_wrong_setting_is_reported_by_its_name(settings: Callable[..., Settings], name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"ELP_{name.upper()}: "):
        settings(**{name: value})


def test_all_wrong_settings_are_reported_at_once(settings: Callable[..., Settings]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(api_port="x", drain_batch_size="y")
    assert "ELP_API_PORT" in str(caught.value)
    assert "ELP_DRAIN_BATCH_SIZE" in str(caught.value)


def test_error_about_an_address_does_not_show_its_password(settings: Callable[..., Settings]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(database_url="mysql://elp:s3cret@localhost/elp")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg"])
def test_each_postgresql_scheme_is_accepted(settings: Callable[..., Settings], scheme: str) -> None:
    url = settings(database_url=f"{scheme}://elp:pass%40word@db:5433/elp").required_database_url()
    assert libpq_url(url) == "postgresql://elp:pass%40word@db:5433/elp"
    assert driver_url(url, "psycopg").drivername == "postgresql+psycopg"
    assert driver_url(url, "psycopg").password == "pass@word"


@pytest.mark.parametrize("scheme", ["redis", "rediss", "unix"])
def test_each_redis_scheme_is_accepted(settings: Callable[..., Settings], scheme: str) -> None:
    url = f"{scheme}://cache/0"
    assert settings(redis_url=url).required_redis_url() == url


def test_missing_address_is_reported_by_its_name(settings: Callable[..., Settings]) -> None:
    with pytest.raises(ConfigurationError, match="ELP_DATABASE_URL"):
        settings().required_database_url()
    with pytest.raises(ConfigurationError, match="ELP_REDIS_URL"):
        settings().required_redis_url()


def test_secrets_are_not_shown(settings: Callable[..., Settings]) -> None:
    assert "t0ken" not in repr(settings(api_token="t0ken", flower_auth="elp:t0ken"))


def test_file_named_env_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Callable[..., Settings]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")
    Path(".env").write_text("ELP_API_PORT=8100\nELP_FLOWER_PORT=8101\nOTHER=1\n", encoding="utf-8")
    assert settings(flower_port=8200).api_port == 8100
    assert settings().flower_port == 8200


def test_empty_variable_counts_as_not_set(settings: Callable[..., Settings]) -> None:
    current = settings(database_url="", api_port="")
    assert (current.database_url, current.api_port) == (None, 8000)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_documented_with_its_default(settings: Callable[..., Settings], name: str) -> None:
    default = getattr(settings(), name)
    shown = "–" if default is None else f"`{default}`"
    documented = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert f"| `ELP_{name.upper()}` | {shown} | " in documented
