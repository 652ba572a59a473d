"""what a logged answer was given from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    kind = sa.JSON().with_variant(JSONB(), "postgresql")
    op.add_column("logged_resolution", sa.Column("known", kind, nullable=True))


def downgrade() -> None:
    op.drop_column("logged_resolution", "known")
