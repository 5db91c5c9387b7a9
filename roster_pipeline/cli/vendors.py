"""`roster vendor`: what is known of each vendor's systems."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from roster_pipeline.cli.console import Ends, Format, FormatOption, Refusal, answer, end, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roster_pipeline.sources.vendors import ProfileError, Vendor
    from roster_pipeline.workspace.problems import Problem

app = typer.Typer(
    help="What is known of each vendor's systems.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def list_(form: FormatOption = Format.TEXT) -> None:
    """List the vendors that a source's file can name.

    Exits 0, or 2 if a profile is wrong: the others are listed.
    """
    from roster_pipeline.reports.vendors import vendors_document, vendors_text
    from roster_pipeline.sources import vendors

    profiles, wrong = {}, []
    for name in vendors.known():
        try:
            profiles[name] = profile_of(name)
        except Refusal as refusal:
            wrong.append(str(refusal))
    answer(vendors_text(profiles), vendors_document(profiles), form)
    if wrong:
        note("\n".join(wrong))
        end(Ends.UNREADABLE)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A vendor, as `roster vendor list` names it.")],
    form: FormatOption = Format.TEXT,
) -> None:
    """Show one vendor: addresses, logins, what it does otherwise, how access is set up there."""
    from roster_pipeline.reports.vendors import vendor_document, vendor_text

    profile = profile_of(name)
    answer(vendor_text(name, profile), vendor_document(name, profile), form)


def profile_of(name: str) -> "Vendor":
    """The profile of a vendor. Raises Refusal, with each slip's place in the profile."""
    from roster_pipeline.sources import vendors

    try:
        return vendors.load(name)
    except vendors.UnknownVendorError as error:
        near = get_close_matches(name, vendors.known(), n=1)
        said = f"{error}. Did you mean {near[0]}?" if near else f"{error}."
        raise Refusal(said, Ends.UNREADABLE) from error
    except vendors.ProfileError as error:
        slips = "\n".join(f"  {slip}" for slip in sorted(_slips(error)))
        raise Refusal(f"the profile of {name} is wrong:\n{slips}", Ends.UNREADABLE) from None


def _slips(error: "ProfileError") -> "Iterator[Problem]":
    from pydantic import ValidationError

    from roster_pipeline.sources.vendors import Vendor
    from roster_pipeline.workspace.located_yaml import YamlError, read
    from roster_pipeline.workspace.problems import Problem, explain

    try:
        document = read(error.content)
        Vendor.model_validate(document.data)
    except YamlError as slip:
        yield Problem(error.file, slip.line, slip.column, str(slip))
    except ValidationError as slips:
        yield from explain(slips, document, error.file, Vendor)
