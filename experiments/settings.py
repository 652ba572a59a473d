"""Settings from the environment (`DESIRELINE_...` and `DATABASE_URL`), read once at the start."""

import os
import secrets
from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, computed_field
from pydantic_settings import BaseSettings, SettingsConfigDict

from experiments.clock import Clock, SteppedClock, SystemClock


class MailSecurity(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class AnalysisEngine(StrEnum):
    """What adds up exposures and events."""

    DUCKDB = "duckdb"
    POSTGRESQL = "postgresql"
    SPARK = "spark"
    WAREHOUSE = "warehouse"


class Settings(BaseSettings):
    """Everything an operator can set; `docs/reference/settings.md` lists it for people."""

    model_config = SettingsConfigDict(env_prefix="DESIRELINE_", frozen=True, extra="ignore")

    data_dir: Path = Field(default=Path("data"), description="Where embedded storage lives.")
    database_url: str = Field(
        default="",
        validation_alias="DATABASE_URL",
        description="PostgreSQL or SQLite address; empty means SQLite inside the data folder.",
    )
    columnar_location: str = Field(
        default="",
        description="Folder or address (s3://...) of the Parquet files; empty: in the data folder.",
    )
    columnar_days: int | None = Field(
        default=None, ge=90, description="How long Parquet files of events are kept; ever if empty."
    )
    analysis_engine: AnalysisEngine = Field(
        default=AnalysisEngine.DUCKDB, description="duckdb, postgresql, spark or warehouse."
    )
    spark_master: str = Field(
        default="local[*]", description="The address of the Spark cluster, for spark."
    )
    warehouse: Path | None = Field(
        default=None, description="File with the mapping of your own tables, for warehouse."
    )
    analysis_memory: str = Field(
        default="1GB",
        pattern=r"^\d+(\.\d+)?(KB|MB|GB|TB)$",
        description="What an analysis may take; more goes to the disk. A number and MB or GB.",
    )
    secret_key: str = Field(
        default="", description="Signs sessions and previews; empty means one kept in the folder."
    )
    base_url: str = Field(
        default="http://127.0.0.1:8000", description="The address people and sites reach."
    )
    host: str = Field(default="127.0.0.1", description="Address the server listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port the server listens on.")
    secure_cookies: bool = Field(
        default=False, description="Send the session cookie over HTTPS only; set behind TLS."
    )
    honour_opt_out: bool = Field(
        default=False,
        description="Store no events of visitors whose browser sends Sec-GPC or DNT.",
    )
    api_calls_per_minute: int = Field(
        default=1200, ge=1, description="Calls of the own API that a token may make, per process."
    )
    tracking_calls_per_minute: int | None = Field(
        default=None, ge=1, description="Requests with events that a token may make, per process."
    )
    log_json: bool = Field(default=False, description="Log lines as JSON instead of for people.")
    resolution_log_share: float = Field(
        default=0.01, ge=0, le=1, description="Share of the visitors whose answers are logged."
    )
    resolution_log_days: int = Field(
        default=30, ge=1, description="How long logged answers are kept."
    )
    smtp_host: str = Field(default="", description="The mail server; empty sends no mail.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server.")
    smtp_security: MailSecurity = Field(
        default=MailSecurity.STARTTLS, description="starttls, tls or none."
    )
    smtp_user: str = Field(default="", description="Name at the mail server; empty for none.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Password there.")
    mail_from: str = Field(
        default="Desireline <desireline@localhost>", description="The sender of mails."
    )
    internal_hosts: str = Field(
        default="",
        description="Hosts with private addresses that webhooks may reach; commas between.",
    )
    clock_file: Path | None = Field(
        default=None, description="File that tells the time instead of the machine (demo)."
    )
    clock_stretch_hours: int = Field(
        default=0,
        ge=0,
        description="Told hours in which jobs run once when a file tells the time (demo).",
    )
    seed: int | None = Field(
        default=None, description="Seed of the random generator (demo); empty means unpredictable."
    )

    @property
    def internal_host_names(self) -> frozenset[str]:
        """The hosts whose addresses may be private."""
        return frozenset(name.strip() for name in self.internal_hosts.split(",") if name.strip())

    @computed_field  # type: ignore[prop-decorator] # pydantic's documented pairing, unknown to mypy
    @property
    def storage_url(self) -> str:
        """The SQLAlchemy address of the database."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir / 'desireline.db'}"
        scheme, _, rest = self.database_url.partition("://")
        if scheme in {"postgres", "postgresql"}:
            return f"postgresql+psycopg://{rest}"
        return self.database_url

    @property
    def columnar_address(self) -> str:
        """Where the Parquet files lie."""
        return self.columnar_location or str(self.data_dir / "columnar")

    def clock(self) -> Clock:
        """The clock that these settings ask for."""
        return SystemClock() if self.clock_file is None else SteppedClock(self.clock_file)

    def signing_key(self) -> str:
        """The secret key; made once and kept in the data folder when none is set."""
        if self.secret_key:
            return self.secret_key
        path = self.data_dir / "secret.key"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text()
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
        return path.read_text()
