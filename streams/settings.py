"""Every setting, from `tocsin.toml` and `TOCSIN_...` in the environment (which wins).

An unknown key is an error. `TOCSIN_KAFKA_BOOTSTRAP` sets `kafka.bootstrap`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from detectors.alerting import Policy
from detectors.budget import Budget
from detectors.model import Model, ModelError, decode, untrained
from detectors.records import Severity
from detectors.timegrid import Grid
from streams.sources.config import SourceConfig

DEFAULT_FILE = Path("tocsin.toml")
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of the settings. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid")


class Kafka(Section):
    """Which broker, and how to speak to it."""

    bootstrap: str | None = Field(None, description="Broker addresses, host:port, by commas.")
    prefix: str = Field("tocsin", description="What every topic name starts with.")
    partitions: int = Field(4, ge=1, le=512, description="Partitions of each topic.")
    replication: int | None = Field(
        None, ge=1, description="Copies of each partition; the broker's default unless set."
    )
    group: str = Field("tocsin", description="Consumer group of the workers.")
    instance: str | None = Field(
        None,
        description="Fixed name of this worker in its group: restarted, it goes on at once.",
    )
    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Security protocol."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism, where the protocol has SASL."
    )
    username: str | None = Field(None, description="SASL user name.")
    password: SecretStr | None = Field(None, description="SASL password.")
    ca_file: Path | None = Field(None, description="Certificate authority of the broker (PEM).")
    cert_file: Path | None = Field(None, description="Client certificate (PEM).")
    key_file: Path | None = Field(None, description="Client key (PEM).")
    idempotent: bool = Field(
        True, description="Idempotent producers; off only for a broker that has none."
    )
    session_seconds: Positive = Field(
        30.0, description="Silence after which a worker is given up by the group."
    )


class Steps(Section):
    """How stream time advances, in seconds."""

    fine: int = Field(60, ge=1, description="Units that received something are scored so often.")
    coarse: int = Field(3600, ge=60, description="Every unit is looked at so often.")
    disorder: int = Field(
        0, ge=0, description="By how much reports of one partition may be out of order."
    )


class Alerts(Section):
    """When an alert opens, and how it lives."""

    budget_watch: Positive = Field(1.0, description="False alarms per unit and year, all.")
    budget_warning: Positive = Field(0.3, description="The same, warning and above.")
    budget_critical: Positive = Field(0.1, description="The same, critical.")
    least_publishers: int = Field(2, ge=1, description="Independent witnesses before a rise opens.")
    quiet_days: Positive = Field(7.0, description="As usual for so long: resolved.")
    step_down_days: Positive = Field(3.0, description="Below its severity so long: one level down.")
    longest_days: Positive = Field(60.0, description="Open for so long: expired.")


class Worker(Section):
    """The process itself."""

    data_dir: Path = Field(Path(".tocsin"), description="Cursors, store, feed.")
    store: str | None = Field(
        None, description="Store URL; SQLite in data_dir unless set (sqlite:///..., postgresql://)."
    )
    evidence_days: int = Field(
        400, ge=1, description="The store keeps reports and events so long behind the newest."
    )
    checkpoint_seconds: Positive = Field(3.0, description="State is written down so often.")
    metrics_host: str = Field("127.0.0.1", description="Address of /metrics and the feed.")
    metrics_port: int = Field(9108, ge=0, le=65535, description="Its port; 0 picks a free one.")
    log_format: Literal["auto", "json", "text"] = Field("auto", description="How logs look.")
    contact: str = Field("", description="Contact in the User-Agent of feed requests.")


class Webhook(Section):
    """A receiver of alerts over HTTP."""

    name: str = Field(description="The subscription's id.")
    url: str = Field(description="Where alerts are posted (https, unless the host is allowed).")
    secret: SecretStr = Field(description="Signing secret, whsec_...")
    minimum_severity: Severity = Field("watch", description="The least severity to send.")
    units: tuple[str, ...] = Field((), description="Units or countries; empty: all.")
    signals: tuple[str, ...] = Field((), description="Signals; empty: all.")


class Delivery(Section):
    """How alerts leave."""

    webhooks: tuple[Webhook, ...] = Field((), description="Receivers, one [[delivery.webhooks]].")
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Receivers' hosts that may be private or plain http."
    )
    attempts: int = Field(6, ge=1, description="Attempts before a delivery is given up.")
    source: str = Field("https://tocsin.invalid/", description="This installation, as a URI.")


class Settings(BaseSettings):
    """All settings of Tocsin."""

    model_config = SettingsConfigDict(
        env_prefix="TOCSIN_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="forbid",
        toml_file=None,
    )

    kafka: Kafka = Kafka()
    steps: Steps = Steps()
    alerts: Alerts = Alerts()
    worker: Worker = Worker()
    delivery: Delivery = Delivery()
    model: Path | None = Field(
        None, description="Model of the instability index (tocsin train); untrained unless set."
    )
    sources: tuple[SourceConfig, ...] = Field((), description="Feeds, one [[sources]] each.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file."""
        toml = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, file_secret_settings, toml

    def grid(self) -> Grid:
        """Return the steps of stream time."""
        return Grid(self.steps.fine, self.steps.coarse)

    def policy(self) -> Policy:
        """Return how alerts live."""
        a = self.alerts
        return Policy(
            budget=Budget(a.budget_watch, a.budget_warning, a.budget_critical),
            least_publishers=a.least_publishers,
            quiet_days=a.quiet_days,
            step_down_days=a.step_down_days,
            longest_days=a.longest_days,
        )

    def judge(self) -> Model:
        """Return the model of the instability index; the untrained one unless one is set.

        Raises:
            SettingsError: The file cannot be read, or holds no model for these signals.
        """
        if self.model is None:
            return untrained()
        try:
            return decode(self.model.read_bytes())
        except OSError as error:
            raise SettingsError(f"model: {self.model} cannot be read: {error.strerror}") from error
        except ModelError as error:
            raise SettingsError(f"model: {self.model} {error}") from error

    def store_url(self) -> str:
        """Return where the store is."""
        return self.worker.store or f"sqlite:///{self.worker.data_dir / 'store.sqlite'}"


class SettingsError(Exception):
    """The settings cannot be used; the text says which and why."""


def _check_environment() -> None:
    """Refuse a `TOCSIN_...` variable that sets nothing, which is most likely a typing error."""
    for name in os.environ:
        if name.startswith("TOCSIN_"):
            part = name.removeprefix("TOCSIN_").lower().partition("_")[0]
            if part not in Settings.model_fields:
                known = ", ".join(f"TOCSIN_{field.upper()}_..." for field in Settings.model_fields)
                raise SettingsError(f"{name} sets nothing; there are {known}")


def load(file: Path | None = None) -> Settings:
    """Read the settings from a TOML file (default `tocsin.toml`, if there is one) and environment.

    Raises:
        SettingsError: a named file is missing, is no TOML, or a key or value is wrong.
    """
    if file is not None and not file.is_file():
        raise SettingsError(f"no settings file at {file}")
    chosen = file or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=chosen)

    try:
        _check_environment()
        settings = FromFile()
        settings.grid()
        settings.policy()
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        where = f"{chosen} or the environment" if chosen else "the environment"
        raise SettingsError(f"in {where}: " + "; ".join(lines)) from error
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return settings
