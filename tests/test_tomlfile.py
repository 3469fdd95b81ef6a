"""Settings as TOML files: what is wrong is named, with the place and the right word."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from mien import tomlfile
from mien.errors import RecipeError


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Wheel(_Part):
    radius: float = 1


class _Car(_Part):
    name: str
    wheels: tuple[_Wheel, ...] = ()
    spare: _Wheel | None = None


def explained(found: dict[str, object]) -> str:
    with pytest.raises(ValidationError) as error:
        _Car.model_validate(found)
    return tomlfile.explain(error.value, _Car)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({}, "name is missing"),
        ({"nam": "a"}, "unknown key 'nam'; did you mean 'name'?"),
        ({"name": "a", "q": 1}, "unknown key 'q'"),
        (
            {"name": "a", "wheels": [{}, {"radios": 1}]},
            "unknown key 'wheels.1.radios'; did you mean 'radius'?",
        ),
        (
            {"name": "a", "spare": {"radis": 1}},
            "unknown key 'spare.radis'; did you mean 'radius'?",
        ),
    ],
)
def test_names_the_place_and_the_nearest_key(found: dict[str, object], message: str) -> None:
    assert explained(found) == message


def test_shows_what_was_received() -> None:
    said = explained({"name": "a", "spare": {"radius": "wide"}})

    assert said.startswith("spare.radius: ")
    assert said.endswith(", got 'wide'")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read"), (b"a = ", "not a TOML"), (b"\xff", "not a TOML")],
)
def test_refuses_a_file(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "a.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(RecipeError, match=reason):
        tomlfile.read(path, RecipeError)
