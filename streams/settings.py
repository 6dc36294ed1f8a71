"""Every setting, from `tocsin.toml` and `TOCSIN_...` in the environment (which wins).

An unknown key is an error. `TOCSIN_KAFKA_BOOTSTRAP` sets `kafka.bootstrap`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
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
from streams.chat_urls import check_chat_url
from streams.mail_address import check_mailbox
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


class Chat(Section):
    """A chat that subscriptions may name as their address."""

    name: str = Field(min_length=1, description="What subscriptions call it.")
    url: SecretStr = Field(description="An Apprise URL, such as slack://... or matrixs://...")

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: SecretStr) -> SecretStr:
        check_chat_url(url.get_secret_value())
        return url


class AlertmanagerTarget(Section):
    """A Prometheus Alertmanager that subscriptions may name as their address."""

    name: str = Field(min_length=1, description="What subscriptions call it.")
    url: SecretStr = Field(
        description="Where it is (http or https), with its path prefix, user and password if any."
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: SecretStr) -> SecretStr:
        try:
            parts = urlsplit(url.get_secret_value())
            is_right = parts.scheme in ("http", "https") and bool(parts.hostname)
            is_right = is_right and not parts.query and not parts.fragment and parts.port != 0
        except ValueError:
            is_right = False
        if not is_right:
            raise ValueError("an Alertmanager's URL is http(s)://host[:port][/prefix]")
        return url


class Smtp(Section):
    """The mail server that takes alerts as e-mail, and what the mails say of this installation."""

    host: str = Field(min_length=1, description="Mail server that takes alerts for sending.")
    port: int | None = Field(
        None, ge=1, le=65535, description="Its port: 465 for tls, 587 for starttls, 25 for none."
    )
    user: str | None = Field(None, description="User name, where it asks for one.")
    password: SecretStr | None = Field(None, description="Password.")
    security: Literal["none", "starttls", "tls"] = Field(
        "starttls", description="Encryption; none only without a password."
    )
    ca_file: Path | None = Field(None, description="Its certificate authority (PEM), if private.")
    sender: str = Field(description="Mailbox that mails come from.")
    reply_to: str | None = Field(None, description="Mailbox that people read, for replies.")
    public_url: str | None = Field(
        None, description="Where readers reach /unsubscribe and /confirm (https)."
    )

    @field_validator("sender", "reply_to")
    @classmethod
    def _is_mailbox(cls, value: str | None) -> str | None:
        return None if value is None else check_mailbox(value)

    @field_validator("public_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[!-;=?-~]+", value):
            raise ValueError("an address that begins with https://")
        return value

    @model_validator(mode="after")
    def _guards_the_password(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together")
        if self.user is not None and self.security == "none":
            raise ValueError("a password is not sent in the clear: set security to tls or starttls")
        return self

    def port_used(self) -> int:
        """Return the port: the one that is set, or the usual one."""
        return self.port or {"none": 25, "starttls": 587, "tls": 465}[self.security]


class Delivery(Section):
    """How alerts leave."""

    webhooks: tuple[Webhook, ...] = Field((), description="Receivers, one [[delivery.webhooks]].")
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Receivers' hosts that may be private or plain http."
    )
    chats: tuple[Chat, ...] = Field((), description="Chats, one [[delivery.chats]] each.")
    alertmanagers: tuple[AlertmanagerTarget, ...] = Field(
        (), description="Alertmanagers, one [[delivery.alertmanagers]] each."
    )
    attempts: int = Field(
        24, ge=1, description="Attempts before a delivery is given up: 24 take half a day."
    )
    timeout_seconds: Positive = Field(10.0, description="A receiver is given so long to answer.")
    stale_hours: float = Field(
        48.0, gt=0.0, description="Alerts older than this are not sent as news (after a replay)."
    )
    source: str = Field("https://tocsin.invalid/", description="This installation, as a URI.")
    cap_status: Literal["Actual", "Exercise", "Test"] = Field(
        "Exercise", description="What CAP messages are: Actual only if people are to act on them."
    )
    key: SecretStr | None = Field(
        None,
        min_length=32,
        description="Master key of signing secrets and unsubscribe links, 32 characters or more.",
    )
    smtp: Smtp | None = Field(None, description="Mail server, as JSON; in the file as a table.")

    @field_validator("chats", "alertmanagers")
    @classmethod
    def _check_names(cls, targets: tuple[Chat | AlertmanagerTarget, ...]) -> Any:  # noqa: ANN401
        names = [each.name for each in targets]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"a name is given twice: {', '.join(twice)}")
        return targets


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
