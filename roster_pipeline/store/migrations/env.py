"""Alembic runs this file. The connection, with its transaction, comes from `upgrade`."""

from alembic import context

from roster_pipeline.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
