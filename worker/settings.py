"""Settings: environment variables with the prefix ELP_, then the file `.env`; a wrong one is reported by its name."""

from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import limits
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.errors import ConfigurationError

_POSTGRES_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg")

Port = Annotated[int, Field(ge=0, le=65535)]


class FeeLimit(BaseModel):
    """The highest fee of a contract, its tax included: `percent` of the amount and `fixed` rupiah."""

    percent: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(0)
    fixed: Annotated[Decimal, Field(ge=0)] = Decimal(0)


def _rate_limit(text: str) -> str:
    """Check how a rate limit is written."""
    if text != "none":
        try:
            limits.parse(text)
        except ValueError:
            raise ValueError("must be a number of requests and a time, such as 10/15 minutes, or none") from None
    return text


Role = Literal["learner", "teacher", "editor", "finance", "operator", "admin"]
RateLimit = Annotated[str, AfterValidator(_rate_limit)]


class Settings(BaseSettings):
    """Everything a process can be told from outside. A port of 0 means: any free one."""

    model_config = SettingsConfigDict(
        env_prefix="ELP_", env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore"
    )

    database_url: str | None = None
    """PostgreSQL 15 or newer; unset: an embedded server in `data_dir`."""
    redis_url: str | None = None
    """Redis or Valkey; unset: an embedded server in `data_dir`."""
    data_dir: Path = Path(".elp")
    """Where embedded servers keep their data."""

    api_host: str = "127.0.0.1"
    api_port: Port = 8000
    api_token: SecretStr | None = None
    """Bearer token that guards every route but health; the API refuses to start without one."""
    api_processes: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that share the API's port; one fills a core."""
    api_max_connections: Annotated[int, Field(ge=1)] = 4_096
    """Connections that an API process holds; further ones are answered 503 at once."""
    flower_port: Port = 5555
    flower_auth: SecretStr | None = None
    """`user:password` for Flower; it refuses to start without one."""

    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 9540
    """Where workers serve `/metrics`: each takes the first free port from this one on."""

    database_pool_size: Annotated[int, Field(ge=1, le=200)] = 5
    """Connections a process keeps; a Celery child uses one or two."""
    database_statement_timeout_ms: Annotated[int, Field(ge=0)] = 60_000
    """What a statement of the API may take; jobs set their own. 0 means no limit."""

    attempts_max_batch: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    """Attempts in one request; beyond it the API answers 413."""
    attempts_max_body_bytes: Annotated[int, Field(ge=1_024)] = 4 * 1_024 * 1_024
    """Size of a request's body; beyond it the API answers 413."""
    attempts_max_answer_bytes: Annotated[int, Field(ge=64)] = 16 * 1_024
    """Size of one answer as JSON; beyond it that attempt is refused."""
    commit_max_attempts: Annotated[int, Field(ge=1)] = 10_000
    """Attempts that one group commit may hold."""
    nudge_interval_ms: Annotated[int, Field(ge=0)] = 250
    """A lane is nudged at once, then at most once in this time by one API process: a nudge costs its sender and its
    receiver half a millisecond each, times sixteen lanes."""
    drain_batch_size: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    """Attempts that a drainer takes in one transaction."""
    due_queue_shard_users: Annotated[int, Field(ge=1)] = 2_000
    """Learners in one shard of `srs.build_due_queues`."""
    due_queue_cache_hours: Annotated[int, Field(ge=1, le=240)] = 48
    """How long a due queue stays in Redis."""
    tryout_grace_seconds: Annotated[int, Field(ge=0, le=3_600)] = 30
    """How long after its deadline a tryout still takes answers and its submission: what the network held up."""

    events_keep_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    """How long app events stay in the feed for readers that were away."""
    outbox_confirm_s: Annotated[int, Field(ge=1, le=3_600)] = 60
    """An outbox entry whose task has not committed by then is sent again, then after twice that time, and so on up to
    15 minutes: the longest that a message lost with Redis holds its work up."""
    outbox_keep_hours: Annotated[int, Field(ge=1)] = 24
    """How long entries that are done stay in the outbox; as long an event sent again under its id counts once."""
    events_max_batch: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    """Events in one request; beyond it the API answers 413."""

    job_history_days: Annotated[int, Field(ge=1, le=3_650)] = 90
    """How long the ledger keeps the runs that ended; older ones are kept as one line a job and day."""

    search_max_replica_lag_mb: Annotated[int, Field(ge=0)] = 256
    """How far the slowest replica may fall behind before bulk refreshes of search vectors pause; 0: no limit."""
    search_max_active_sessions: Annotated[int, Field(ge=0)] = 64
    """Sessions at work beyond which bulk refreshes of search vectors pause; 0: no limit."""
    search_timeout_ms: Annotated[int, Field(ge=10, le=60_000)] = 2_000
    """What one statement of a search may take; beyond it the API answers 422 and asks for a narrower term."""
    trial_notice_days: Annotated[int, Field(ge=1, le=60)] = 3
    """Days before the end of a trial at which its learner is told what the first period costs."""
    reconcile_days: Annotated[int, Field(ge=1, le=366)] = 35
    """Days of payments that are compared with gateways' reports each night; older ones while breaks are open."""
    settlement_late_days: Annotated[int, Field(ge=0, le=60)] = 3
    """Days from payment to settlement that are normal: T+1 or T+2, and a weekend."""
    settlement_missing_days: Annotated[int, Field(ge=0, le=120)] = 7
    """Days after which an unsettled payment is missing at the gateway, not late."""
    gateway_fee_limits: dict[str, FeeLimit] = {}
    """The most that each contract allows a gateway to keep of a rupiah payment; those not named are not checked."""

    encryption_keys: SecretStr | None = None
    """Keys of columns encrypted at rest, separated by commas: the first encrypts, all decrypt."""

    midtrans_server_key: SecretStr | None = None
    """Turns Midtrans on; it also signs Midtrans' notifications."""
    midtrans_url: str = "https://api.midtrans.com"
    xendit_secret_key: SecretStr | None = None
    """Turns Xendit on."""
    xendit_callback_token: SecretStr | None = None
    """What Xendit's callbacks carry; without it they are refused."""
    xendit_url: str = "https://api.xendit.co"
    stripe_secret_key: SecretStr | None = None
    """Turns Stripe on."""
    stripe_webhook_secret: SecretStr | None = None
    """What Stripe signs its webhooks with; without it they are refused."""
    stripe_url: str | None = None
    """Unset: Stripe itself."""
    billing_concurrency: Annotated[int, Field(ge=1, le=1_000)] = 64
    """Calls to one gateway at once; each waits in a thread."""
    billing_calls_per_second: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Calls to one gateway in a second, at most: below the limit that it grants."""
    billing_timeout_s: Annotated[float, Field(gt=0, le=120)] = 20.0
    """How long a gateway may let us wait for data; then the outcome is unknown, and asked for later."""
    billing_failures: Annotated[int, Field(ge=1)] = 20
    """After so many calls in a row without an answer a gateway is left alone for `billing_rest_s`."""
    billing_rest_s: Annotated[float, Field(gt=0, le=3_600)] = 60.0
    """Seconds."""

    cli_role: Role = "admin"
    """What the command line may do; a machine of the finance team has `finance`, one of the operators `operator`."""
    password_cost: Annotated[int, Field(ge=4, le=20)] = 12
    """bcrypt's cost, log₂ of its rounds: 12 takes a third of a second. Other hashes are renewed at the next login."""
    session_idle_hours: Annotated[int, Field(ge=1, le=8_760)] = 24 * 14
    """A session that was not used for so long is over."""
    session_hours: Annotated[int, Field(ge=1, le=8_760)] = 24 * 90
    """Whatever it is used for, a session is over after this time."""
    auth_cache_s: Annotated[float, Field(ge=0, le=300)] = 5.0
    """How long an API process remembers a token or session: what is revoked elsewhere ends within this time."""
    rate_limit_learner: RateLimit = "600/minute"
    """Requests of one learner, whatever their sessions; `none`: no limit."""
    rate_limit_token: RateLimit = "6000/minute"  # noqa: S105 - no password
    """Requests of one API token; the token of the settings has no limit."""
    rate_limit_address: RateLimit = "120/minute"
    """Requests of one address that name nobody: wrong tokens above all."""
    login_limit_account: RateLimit = "10/15 minutes"
    """Logins tried for one e-mail address, whether there is such an account or not."""
    login_limit_address: RateLimit = "100/15 minutes"
    """Logins tried from one network address."""
    trusted_proxies: str | None = None
    """Addresses of proxies, separated by commas, whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    cors_origins: str | None = None
    """Origins of web pages, separated by commas, that browsers let call the API; unset: none."""
    backup_repository: str | None = None
    """Where backups go: a folder, or `s3://bucket/prefix`; unset: none are made."""
    backup_key: SecretStr | None = None
    """age identities (`AGE-SECRET-KEY-1…`), commas between them: the first encrypts, each decrypts. Unset: plain."""
    backup_compression_level: Annotated[int, Field(ge=1, le=19)] = 1
    """zstd's; 1 keeps pace with pg_basebackup on one core."""
    backup_max_rate_mb: Annotated[int, Field(ge=1, le=1_024)] = 100
    """MB a second that a scheduled physical backup asks of the server: a backup may take its time, learners may not."""
    backup_postgres_bin: Path | None = None
    """Folder of the server's version of PostgreSQL's programs; unset: the wheel's or the system's."""
    backup_spool_dir: Path | None = None
    """Where received write-ahead log waits for its upload; unset: `wal-spool` in `data_dir`."""
    backup_scratch_dir: Path | None = None
    """Where verification restores to; unset: the system's folder for temporary files."""
    backup_slot: Annotated[str, Field(pattern="^[a-z0-9_]{1,60}$")] = "elp_wal"
    """Replication slot of the process `wal`, and its application_name."""
    backup_synchronous: bool = False
    """The process `wal` flushes what it receives at once and says so: with its slot's name in the server's
    synchronous_standby_names no commit is acknowledged before."""
    backup_window_days: Annotated[int, Field(ge=1, le=3_650)] = 14
    """Every instant of so many days back can be restored."""
    backup_keep_daily: Annotated[int, Field(ge=0, le=3_650)] = 14
    backup_keep_weekly: Annotated[int, Field(ge=0, le=520)] = 8
    backup_keep_monthly: Annotated[int, Field(ge=0, le=120)] = 12
    backup_keep_yearly: Annotated[int, Field(ge=0, le=100)] = 3
    """Of so many days, weeks, months, years with backups the newest one is kept beyond the window."""

    tracing: bool = False
    """OpenTelemetry traces (extra `otel`); where they go is said by OTEL_… variables."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"

    @field_validator("database_url")
    @classmethod
    def _database_is_postgresql(cls, url: str | None) -> str | None:
        if url is not None and url.partition("://")[0] not in _POSTGRES_SCHEMES:
            schemes = ", ".join(f"{scheme}://" for scheme in _POSTGRES_SCHEMES)
            raise ValueError(f"must start with one of {schemes}")
        return url

    @field_validator("redis_url")
    @classmethod
    def _broker_is_redis(cls, url: str | None) -> str | None:
        if url is not None and url.partition("://")[0] not in {"redis", "rediss", "unix"}:
            raise ValueError("must start with redis://, rediss:// or unix://")
        return url

    def required_database_url(self) -> str:
        """Return the database's address.

        Raises:
            ConfigurationError: it is not set and no embedded server was started for this process.
        """
        if self.database_url is None:
            raise ConfigurationError("ELP_DATABASE_URL is not set: name a PostgreSQL server, or start with `elp up`")
        return self.database_url

    def required_redis_url(self) -> str:
        """Return the broker's address.

        Raises:
            ConfigurationError: it is not set and no embedded server was started for this process.
        """
        if self.redis_url is None:
            raise ConfigurationError("ELP_REDIS_URL is not set: name a Redis server, or start with `elp up`")
        return self.redis_url


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return this process's settings, read once.

    Raises:
        ConfigurationError: one or more settings are wrong; the message lists each by its variable's name.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"ELP_{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise ConfigurationError("wrong settings:\n  " + "\n  ".join(lines)) from None
