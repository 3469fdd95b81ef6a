"""The statement of what is stored and shown."""

import json

from mien.watch.config import checked
from mien.watch.privacy import statement
from mien.watch.store.schema import Base


def test_says_what_is_stored_and_how_long_and_no_secret() -> None:
    config = checked(
        {
            "cameras": [{"name": "door", "source": "rtsp://me:secret@10.0.0.5/x"}],
            "store": {"url": "postgresql://me:secret@db/x", "keep_days": 12},
            "privacy": {"k": 9},
        },
        "test",
    )

    found = statement(config)

    assert (found["stored"]["keep_days"], found["shown"]["k"]) == (12, 9)
    assert "secret" not in json.dumps(found)
    assert "10.0.0.5" not in json.dumps(found)
    assert (found["gender"], found["expression"]) == (False, None)
    assert not {"gender share", "expression shares"} & set(found["stored"]["of_a_visit"])


def test_says_what_is_read_beside_the_age_and_why() -> None:
    tasks = {"gender": True, "expression": {"purpose": "to see whether the exhibits please"}}
    config = checked({"cameras": [{"name": "door", "source": 0}], "tasks": tasks}, "test")

    found = statement(config)

    assert found["expression"] == {"purpose": "to see whether the exhibits please"}
    assert {"gender share", "expression shares"} <= set(found["stored"]["of_a_visit"])


def test_shows_every_table_and_column_that_there_is() -> None:
    config = checked({"cameras": [{"name": "door", "source": 0}]}, "test")
    schema = statement(config)["schema"]
    assert {name: set(table["columns"]) for name, table in schema.items()} == {
        name: {column.name for column in table.columns}
        for name, table in Base.metadata.tables.items()
    }
