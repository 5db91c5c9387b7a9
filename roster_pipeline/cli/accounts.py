"""`roster accounts`: who has an account at a product, and what would be done about it."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from roster_pipeline.cli.console import (
    Ends,
    Format,
    FormatOption,
    Refusal,
    answer,
    progress,
)
from roster_pipeline.cli.rooms import opened

if TYPE_CHECKING:
    from roster_pipeline.accounts.plan import Plan
    from roster_pipeline.cli.rooms import Rooms
    from roster_pipeline.store import Accepted
    from roster_pipeline.workspace import Product

app = typer.Typer(
    help="Who has an account at a product.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def _accounts() -> None:
    """Who has an account at a product."""


@app.command()
def plan(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="The id of a source.")],
    product: Annotated[
        str | None, typer.Option("--product", help="The id of a product; all by default.")
    ] = None,
    people: Annotated[
        bool,
        typer.Option(
            "--people", help="List everybody of whom anything is to be done, by sourcedId."
        ),
    ] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Say what would be done with the accounts of a source's people; nothing is written.

    The roster is the accepted one. The provider is asked what it has of people whose account is
    not known yet. The JSON lists the sourcedId of everybody of whom anything is to be done.
    """
    from roster_pipeline.reports.accounts import plans_document, plans_text

    with opened(context) as rooms:
        rooms.require_source(source)
        products = _products(rooms, source, product)
        accepted = rooms.ledger.accepted(source)
        if accepted is None:
            raise Refusal(
                f"{source} has no accepted roster yet, so nobody can be given an account. Run"
                f" `roster sync {source}` first."
            )
        with progress() as shown:
            shown.add_task("Planning", total=None)
            plans = {one.id: _plan(rooms, one, accepted) for one in products}
    answer(plans_text(plans, people=people), plans_document(source, plans), form)


def _products(rooms: "Rooms", source: str, name: str | None) -> "list[Product]":
    """The products with accounts that a source uses, or the one named."""
    workspace = rooms.workspace
    with_accounts = {p.id: p for p in workspace.products_of(source) if p.accounts is not None}
    if name is None and with_accounts:
        return list(with_accounts.values())
    if name in with_accounts:
        return [with_accounts[name]]
    known = ", ".join(with_accounts) or "none"
    which = "no product" if name is None else f"no product called {name!r}"
    raise Refusal(
        f"{source} uses {which} with `accounts:` in products/; there are: {known}.",
        Ends.UNREADABLE,
    )


def _plan(rooms: "Rooms", product: "Product", accepted: "Accepted") -> "Plan":
    from roster_pipeline.accounts.survey import require_same_provider, survey
    from roster_pipeline.resources.providers import Providers

    settings = product.accounts
    if settings is None:
        raise ValueError(f"{product.id} has no accounts")
    last = rooms.ledger.delivery(product.accounts_receiver, accepted.source)
    require_same_provider(settings, last.path if last else None)
    district = rooms.workspace.source(accepted.source)
    with Providers(rooms.workspace.folder, os.environ).open(settings) as target:
        return survey(
            rooms.snapshots.open(accepted.snapshot),
            lambda: rooms.ledger.accounts(product.id),
            target,
            settings=settings,
            source=accepted.source,
            day=max(district.date_of(datetime.now(UTC)), accepted.confirmed),
        )
