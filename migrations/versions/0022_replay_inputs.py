"""what a logged answer was given from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    kind = sa.JSON().with_variant(JSONB(), "postgresql")
    op.add_column("logged_resolution", sa.Column("known", kind, nullable=True))


def downgrade() -> None:
    op.drop_column("logged_resolution", "known")
