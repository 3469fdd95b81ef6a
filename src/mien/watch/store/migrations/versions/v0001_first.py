"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    moment, name = sa.DateTime(timezone=True), sa.String(200)
    op.create_table(
        "visits",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("camera", name, nullable=False),
        sa.Column("area", name, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("entered", moment, nullable=False, index=True),
        sa.Column("left", moment, nullable=False, index=True),
        sa.Column("ages", sa.JSON, nullable=False),
        *(sa.Column(column, sa.Double, nullable=False) for column in ("years", "low", "high")),
        sa.Column("group", name, nullable=False),
        sa.Column("quality", sa.Double, nullable=False),
        sa.Column("female", sa.Double),
        sa.Column("expressions", sa.JSON),
    )
    op.create_table(
        "hours",
        sa.Column("start", moment, primary_key=True),
        sa.Column("camera", name, primary_key=True),
        sa.Column("area", name, primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("totals", sa.JSON, nullable=False),
    )
    op.create_table(
        "outboxes",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("drained", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "tallies",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("camera", name, nullable=False, index=True),
        sa.Column("area", name, nullable=False),
        sa.Column("started", moment, nullable=False),
        sa.Column("ended", moment, nullable=False),
        sa.Column("taps", sa.JSON, nullable=False),
        sa.Column("visits", sa.JSON, nullable=False),
    )
