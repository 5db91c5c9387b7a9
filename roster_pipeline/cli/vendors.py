"""`roster vendor`: what is known of each vendor's systems."""

from typing import Annotated

import typer

from roster_pipeline.cli.console import Ends, Format, FormatOption, Refusal, answer

app = typer.Typer(
    help="What is known of each vendor's systems.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def list_(form: FormatOption = Format.TEXT) -> None:
    """List the vendors that a source's file can name."""
    from roster_pipeline.reports.vendors import vendors_document, vendors_text
    from roster_pipeline.sources import vendors

    profiles = {name: vendors.load(name) for name in vendors.known()}
    answer(vendors_text(profiles), vendors_document(profiles), form)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A vendor, as `roster vendor list` names it.")],
    form: FormatOption = Format.TEXT,
) -> None:
    """Show one vendor: addresses, logins, what it does otherwise, how access is set up there."""
    from roster_pipeline.reports.vendors import vendor_document, vendor_text
    from roster_pipeline.sources import vendors

    try:
        profile = vendors.load(name)
    except vendors.UnknownVendorError as error:
        raise Refusal(f"{error}.", Ends.UNREADABLE) from error
    answer(vendor_text(name, profile), vendor_document(name, profile), form)
