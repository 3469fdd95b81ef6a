"""Where settings come from, which wins, and what is shown of them."""

import tomllib
from pathlib import Path

import pytest

from mien.serve.settings import Settings, SettingsError, load, misspelt, shown
from tests.serve.conftest import KEY


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "service.toml"
    path.write_text('port = 1\nbatch = 2\nqueue = 33\nmodels = ["face", "more.onnx"]\n')
    found = load(path, {"MIEN_PORT": "4", "MIEN_BATCH": "5"}, {"port": 6, "batch": None})
    assert (found.port, found.batch, found.queue) == (6, 5, 33)
    assert found.models == ("face", "more.onnx")


def test_lists_are_parted_at_commas() -> None:
    found = load(None, {"MIEN_ORIGINS": "https://a.example, http://b:81", "MIEN_API_KEYS": KEY}, {})
    assert found.origins == ("https://a.example", "http://b:81")
    assert [key.get_secret_value() for key in found.api_keys] == [KEY]


def test_other_and_empty_variables_do_not_matter() -> None:
    assert load(None, {"MIEN_NOTHING": "1", "MIEN_PORT": ""}, {}) == Settings()


def test_a_variable_that_is_almost_one_is_told() -> None:
    found = misspelt({"MIEN_PROT": "1", "MIEN_PORT": "1", "MIEN_MODEL": "a", "MIEN_SHOP_DB": "x"})
    assert found == ["MIEN_PROT is no setting; did you mean MIEN_PORT?"]


def test_the_default_model_is_that_of_all_of_mien(tmp_path: Path) -> None:
    other = {"MIEN_MODEL": "other.onnx"}
    assert load(None, {}, {}).models == ("face", "cifar10")
    assert load(None, other, {}).models == ("other.onnx", "cifar10")
    assert load(None, other, {"models": "more.onnx"}).models == ("more.onnx",)
    path = tmp_path / "service.toml"
    path.write_text('models = ["face"]\n')
    assert load(path, other, {}).models == ("face",)


def test_keys_come_from_a_file_too(keys: Path) -> None:
    found = load(None, {"MIEN_API_KEYS": "k" * 16, "MIEN_API_KEY_FILE": str(keys)}, {})
    assert [key.get_secret_value() for key in found.all_keys()] == ["k" * 16, KEY]
    assert found.guarded
    assert not Settings().guarded


def test_what_is_shown_is_toml_that_can_be_read_again_without_secrets(tmp_path: Path) -> None:
    settings = load(None, {"MIEN_API_KEYS": KEY}, {"models": 'face,we"ird.onnx', "rate": 7})
    text = shown(settings)
    assert KEY not in text
    assert KEY not in repr(settings)
    found = tomllib.loads(text)
    assert found.pop("api_keys") == ["********"]
    assert Settings.model_validate(found) == settings.model_copy(update={"api_keys": ()})


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"port": "many"}, "port: .* not 'many'"),
        ({"port": 70000}, "port: .* not 70000"),
        ({"colour": 1}, "there is no setting 'colour'"),
        ({"prot": 1}, "there is no setting 'prot'; did you mean 'port'"),
        ({"tls_cert": "a.pem"}, "tls_cert and tls_key go together"),
        ({"tls_cert": "a", "tls_key": "b", "tls_self_signed": True}, "leave it out"),
        ({"origins": "a.example"}, "origins.0: should be an origin like .*, not 'a.example'"),
        ({"hosts": "a.example:80"}, "hosts.0: should be a name without a port"),
        ({"hosts": "a.*.example"}, "hosts.0: "),
        ({"max_held": 2000}, "max_held holds at least one body"),
        ({"queue": 2}, "queue holds at least one request's max_pictures"),
        ({"models": ""}, "models: names none"),
        ({"timeout": "nan"}, "timeout: "),
    ],
)
def test_settings_that_make_no_sense(flags: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load(None, {}, flags)


def test_a_short_key_is_refused_and_not_told() -> None:
    with pytest.raises(SettingsError, match="at least 16 characters") as caught:
        load(None, {"MIEN_API_KEYS": "short-secret"}, {})
    assert "short-secret" not in str(caught.value)


def test_a_key_that_headers_cannot_carry_is_refused(tmp_path: Path) -> None:
    key = "schl\u00fcssel-von-allen"
    (tmp_path / "keys.txt").write_text(key, "utf-8")
    with pytest.raises(SettingsError, match="made of ASCII letters") as caught:
        load(None, {"MIEN_API_KEYS": key}, {})
    assert key not in str(caught.value)
    with pytest.raises(SettingsError, match="made of ASCII letters"):
        Settings(api_key_file=tmp_path / "keys.txt").all_keys()


@pytest.mark.parametrize("content", [b"port = ", b"\xff"])
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "service.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="not a TOML file"):
        load(path, {}, {})


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "no.toml", {}, {})
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings(api_key_file=tmp_path / "no.txt").all_keys()


@pytest.mark.parametrize("content", [b"\n# none\n", b"\xff\xfe", b"short-secret"])
def test_a_file_without_keys_does_not_open_the_service(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys.txt"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"write one|at least 16 characters") as caught:
        Settings(api_key_file=path).all_keys()
    assert "short-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("shop", False)],
)
def test_who_can_reach_it(host: str, local: bool) -> None:
    assert Settings(host=host).local is local
