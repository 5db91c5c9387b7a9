"""`roster receiver`: what is known of the systems that get rosters."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from roster_pipeline.cli.console import Ends, Format, FormatOption, Refusal, answer

if TYPE_CHECKING:
    from roster_pipeline.receivers.profiles import Profile

app = typer.Typer(
    help="What is known of the systems that get rosters.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_(form: FormatOption = Format.TEXT) -> None:
    """List the receivers that a destination's file can name as its `profile`."""
    from roster_pipeline.receivers import profiles
    from roster_pipeline.reports.receivers import receivers_document, receivers_text

    known = {name: profiles.load(name) for name in profiles.names()}
    answer(receivers_text(known), receivers_document(known), form)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A receiver, as `roster receiver list` names it.")],
    variant: Annotated[
        str | None, typer.Option("--variant", help="A variant of it, as `show` names them.")
    ] = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Show one receiver: what it gets, what to ask its people for, what is looked at before."""
    from roster_pipeline.reports.receivers import receiver_document, receiver_text

    profile = _profile(name, variant)
    answer(receiver_text(name, profile, variant), receiver_document(name, profile), form)


def _profile(name: str, variant: str | None) -> "Profile":
    from roster_pipeline.receivers import profiles

    if name not in profiles.names():
        near = get_close_matches(name, profiles.names(), n=1)
        hint = f"did you mean {near[0]}?" if near else "`roster receiver list` has them."
        raise Refusal(f"no receiver is called {name!r}; {hint}", Ends.UNREADABLE)
    variants = profiles.load(name).variants
    if variant is not None and variant not in variants:
        has = f"it has {', '.join(variants)}" if variants else "it has none"
        raise Refusal(f"{name} has no variant {variant!r}; {has}.", Ends.UNREADABLE)
    return profiles.load(name, variant)
