"""What a service is told: from a TOML file, the environment and flags, the last of which wins."""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from mien.errors import MienError, printable, shortened
from mien.model import PICTURES, VARIABLE, default_name

PREFIX: Final = "MIEN_"
_SHORTEST_KEY: Final = 16


def _default_models(environment: Mapping[str, str]) -> tuple[str, ...]:
    return (default_name(environment), *PICTURES)


class SettingsError(MienError):
    """A setting that makes no sense, or a file of settings that cannot be read."""


def _parted(value: object) -> object:
    """Part text at its commas, as lists come from the environment and from flags."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _shaped(pattern: str, wanted: str) -> AfterValidator:
    """Check text against a pattern, and say in words what is wanted."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"should be {wanted}")
        return text

    return AfterValidator(check)


_Origin = Annotated[
    str,
    _shaped(r"\*|https?://[A-Za-z0-9.:\[\]-]+", "an origin like https://a.example:8443, or *"),
]
_Host = Annotated[
    str,
    _shaped(
        r"\*|(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?",
        "a name without a port like a.example, *.a.example, or *",
    ),
]
_Names = Annotated[tuple[str, ...], BeforeValidator(_parted)]
_Hosts = Annotated[tuple[_Host, ...], BeforeValidator(_parted)]
_Origins = Annotated[tuple[_Origin, ...], BeforeValidator(_parted)]
_Keys = Annotated[tuple[SecretStr, ...], BeforeValidator(_parted), Field(repr=False)]


class Settings(BaseModel):
    """All settings of a service. Each is a flag, a key in the TOML file, and `MIEN_` + its name.

    Attributes:
        host: Address to listen at; 0.0.0.0 for every network of this machine.
        port: Port to listen at.
        workers: Processes; they share nothing but the port.
        models: Names of packaged models, or model files. The first that reads faces is the
            default for faces, the first for whole pictures that for classification. Where none
            is named: the default of all of mien, which `MIEN_MODEL` may name, and those packaged
            ones that read whole pictures.
        threads: Processor cores a process may use; 0 for its share of all.
        providers: onnxruntime's execution providers for the networks, best first.
        detect_size: Working size of the detector in pixels.
        max_faces: At most so many faces of a picture are read, the largest.
        batch: At most so many pictures go through a network together.
        batch_wait: For at most so many milliseconds a batch waits for pictures under way.
        queue: Pictures that may wait or be worked on; beyond that requests are refused.
        timeout: Seconds that a request may take, and again that sending its body may take.
        max_body: Bytes of a request's body.
        max_held: Bytes of all requests' bodies that are in memory together.
        max_pixels: Width times height of a picture.
        max_pictures: Pictures in a request.
        rate: Requests a minute that one client may make; 0 for any number.
        max_streams: Streams that may be open.
        max_frame: Bytes of a stream's frame.
        api_keys: Keys, one of which each request must bear; none for a service open to all.
        api_key_file: A file of further keys, one a line.
        hosts: Names that the service may be called by, beside addresses, `localhost` and the
            names that it has itself; `*.example.com` for all below it, "*" for any.
        origins: Web pages' origins that may call the service, beside its own; "*" for all.
        servers: Other services' origins that the page may be pointed at.
        proxies: Addresses of proxies whose word about the client's address is taken.
        tls_cert: Certificate chain, PEM.
        tls_key: Its private key, PEM.
        tls_self_signed: Make a certificate at the start, which browsers will warn of.
        log: How the log is written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    models: Annotated[_Names, Field(min_length=1)] = Field(
        default_factory=lambda: _default_models(os.environ)
    )
    threads: Annotated[int, Field(ge=0, le=512)] = 0
    providers: Annotated[_Names, Field(min_length=1)] = ("CPUExecutionProvider",)
    detect_size: Annotated[int, Field(ge=32, le=8192)] = 640
    max_faces: Annotated[int, Field(ge=1)] = 100
    batch: Annotated[int, Field(ge=1, le=256)] = 16
    batch_wait: Annotated[float, Field(ge=0, le=1000)] = 10
    queue: Annotated[int, Field(ge=1)] = 64
    timeout: Annotated[float, Field(gt=0, le=3600)] = 30
    max_body: Annotated[int, Field(ge=1024)] = 20_000_000
    max_held: Annotated[int, Field(ge=1024)] = 400_000_000
    max_pixels: Annotated[int, Field(ge=1)] = 50_000_000
    max_pictures: Annotated[int, Field(ge=1)] = 16
    rate: Annotated[int, Field(ge=0)] = 0
    max_streams: Annotated[int, Field(ge=0)] = 16
    max_frame: Annotated[int, Field(ge=1024)] = 4_000_000
    api_keys: _Keys = ()
    api_key_file: Path | None = None
    hosts: _Hosts = ()
    origins: _Origins = ()
    servers: _Origins = ()
    proxies: _Names = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_self_signed: bool = False
    log: Literal["json", "text"] = "json"

    @model_validator(mode="after")
    def _check_tls(self) -> "Settings":
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together; give both or none")
        if self.tls_cert and self.tls_self_signed:
            raise ValueError("tls_self_signed makes a certificate; leave it out beside tls_cert")
        return self

    @model_validator(mode="after")
    def _check_sizes(self) -> "Settings":
        if self.max_held < self.max_body:
            raise ValueError("max_held holds at least one body; raise it, or lower max_body")
        if self.max_pictures > self.queue:
            raise ValueError("queue holds at least one request's max_pictures; raise it")
        return self

    @model_validator(mode="after")
    def _check_keys(self) -> "Settings":
        if problem := _key_problem(key.get_secret_value() for key in self.api_keys):
            raise ValueError(problem)
        return self

    def all_keys(self) -> list[SecretStr]:
        """Return the API keys, those in the file too.

        Raises:
            SettingsError: The file cannot be read, or holds no key or a short one.
        """
        further = [] if self.api_key_file is None else _read_keys(self.api_key_file)
        return [*self.api_keys, *map(SecretStr, further)]

    @property
    def guarded(self) -> bool:
        """Whether the service asks for an API key."""
        return bool(self.api_keys) or self.api_key_file is not None

    @property
    def tls(self) -> bool:
        """Whether the service speaks TLS."""
        return self.tls_self_signed or self.tls_cert is not None

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the service."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def load(
    file: Path | None, environment: Mapping[str, str], flags: Mapping[str, object]
) -> Settings:
    """Return the settings of a service.

    Args:
        file: A TOML file; None for none.
        environment: Environment variables; those of the settings' names after `MIEN_` count.
        flags: Settings that were given as flags; None where one was not.

    Raises:
        SettingsError: A setting makes no sense, or the file cannot be read.

    Example:
        >>> load(None, {"MIEN_PORT": "9000"}, {"host": "0.0.0.0"}).port
        9000
    """
    found: dict[str, object] = {"models": _default_models(environment)}
    found |= {} if file is None else _read_toml(file)
    return merged(found, environment, flags)


def merged(
    found: Mapping[str, object], environment: Mapping[str, str], flags: Mapping[str, object]
) -> Settings:
    """Return the settings of a service that were read already, under those of `load`.

    Args:
        found: Settings by their names.
        environment: As for `load`.
        flags: As for `load`.

    Raises:
        SettingsError: A setting makes no sense.
    """
    found = dict(found)
    named = {PREFIX + name.upper(): name for name in Settings.model_fields}
    found |= {named[key]: value for key, value in environment.items() if key in named and value}
    found |= {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings.model_validate(found)
    except ValidationError as error:
        raise SettingsError(f"settings: {_first(error)}") from None


def misspelt(environment: Mapping[str, str]) -> list[str]:
    """Return environment variables that are almost a setting's, each with what may be meant."""
    known = [PREFIX + name.upper() for name in Settings.model_fields] + [VARIABLE]
    found = []
    for key in sorted(set(environment) - set(known)):
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.85)
        if key.startswith(PREFIX) and near:
            found.append(f"{printable(key)} is no setting; did you mean {near[0]}?")
    return found


def shown(settings: Settings) -> str:
    """Return the settings as TOML, with the secrets masked."""
    lines = []
    for name, value in settings.model_dump(mode="json").items():
        if name == "api_keys":
            value = ["********"] * len(value)
        if value is None:
            lines.append(f'# {name} = ""')
        else:
            lines.append(f"{name} = {_toml(value)}")
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{printable(escaped)}"'
    return str(value)


def _first(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False)[0]
    name = ".".join(map(str, first["loc"]))
    message = first["msg"].removeprefix("Value error, ")
    if not name:
        return str(message)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, Settings.model_fields, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        return (
            f"there is no setting {printable(name)!r}; {meant}`mien serve --show-config` lists them"
        )
    if first["type"] == "too_short":
        return f"{name}: names none; name one or more, parted by commas"
    received = "" if name.startswith("api_key") else f", not {shortened(repr(first['input']))}"
    return f"{name}: {message}{received}"


def _read_toml(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not a TOML file: {error}") from error


def _read_keys(path: Path) -> list[str]:
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is no text; write one key a line") from error
    keys = [line for line in lines if line and not line.startswith("#")]
    if not keys:
        # An empty file must not open the service to all.
        raise SettingsError(f"{path}: holds no key; write one a line, or leave the setting out")
    if problem := _key_problem(keys):
        raise SettingsError(f"{path}: {problem}")
    return keys


def _key_problem(keys: Iterable[str]) -> str:
    """Return what is wrong with API keys; empty if nothing is."""
    for key in keys:
        if len(key) < _SHORTEST_KEY:
            return f"an API key has at least {_SHORTEST_KEY} characters"
        # Clients do not agree on how a header would carry others.
        if not key.isascii() or not key.isprintable():
            return "an API key is made of ASCII letters, digits and signs"
    return ""
