"""What a check is about: a package on this disk, or the last one that came from a source."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import typer

from roster_pipeline.cli.console import Ends, Refusal
from roster_pipeline.cli.rooms import folder_of, opened

if TYPE_CHECKING:
    from roster_pipeline.cli.rooms import Rooms
    from roster_pipeline.oneroster.package import Package
    from roster_pipeline.oneroster.roster import Roster
    from roster_pipeline.oneroster.rules import Policy
    from roster_pipeline.oneroster.versions import RoleMap
    from roster_pipeline.sources.config import Source
    from roster_pipeline.sources.vendors import Vendor
    from roster_pipeline.store import Landed


@dataclass(frozen=True)
class Subject:
    """A package, and how it is to be judged."""

    name: str
    policy: "Policy"
    today: date
    base: "Roster | None"
    path: Path | None = None
    """Where it lies; None for a landed one."""
    landed: "tuple[Rooms, Landed] | None" = None
    role_map: "RoleMap | None" = None
    """None for the standard's."""
    source: "Source | None" = None
    """Whose it is, where that is known."""
    vendor: "Vendor | None" = None
    """Whose form it has, where nothing else is known of it."""

    def open(self) -> AbstractContextManager[Path | BinaryIO]:
        """The package, as often as it is wanted. Raises NotStored if a landed one is gone."""
        if self.landed is None:
            return nullcontext(self.path or Path())
        rooms, landed = self.landed
        from roster_pipeline.store.landing import Landing

        return Landing(rooms.workspace.storage_url).open(landed)

    def read(self, where: Path | BinaryIO) -> "AbstractContextManager[Package]":
        """A package, read as its source's or its vendor's are."""
        from roster_pipeline.sources.opening import open_mapped, open_source

        if self.source is not None:
            return open_source(where, self.source)
        if self.vendor is not None:
            return open_mapped(where, self.vendor.mapping, self.vendor.mending)
        return open_mapped(where)

    @property
    def mapped(self) -> bool:
        """Whether its files are not OneRoster."""
        from_source = self.source is not None and self.source.csv_mapping is not None
        return from_source or (self.vendor is not None and self.vendor.mapping is not None)


@contextmanager
def subject(
    context: typer.Context,
    named: str,
    *,
    strict: bool,
    source: str | None = None,
    vendor: str | None = None,
) -> Iterator[Subject]:
    """The package of that path, else the last one that landed of the source of that name.

    A source's package is judged as its sync judges it: by its own policy, roles and day, against
    its accepted roster. A path may be read as if it came from a `source` or a `vendor`. Raises
    Refusal if there is neither.
    """
    from roster_pipeline.oneroster.rules import LENIENT, STRICT

    path = Path(named).expanduser()
    if (source or vendor) and not path.exists():
        raise Refusal(
            f"There is no file or folder {named}; --source and --vendor say how one is read.",
            Ends.UNREADABLE,
        )
    if source and vendor:
        raise Refusal("Say --source or --vendor: a source has a vendor.", Ends.UNREADABLE)
    if source:
        with source_rooms(context, source) as rooms:
            yield _as_of(rooms, source, named, path, strict=strict)
        return
    if path.exists():
        today = datetime.now(UTC).astimezone().date()
        yield Subject(
            named,
            STRICT if strict else LENIENT,
            today,
            None,
            path,
            vendor=_profile(vendor) if vendor else None,
        )
        return
    with source_rooms(context, named) as rooms:
        landed = rooms.ledger.last_landed(named, date.min, date.max)
        if landed is None:
            raise Refusal(
                f"Nothing has landed of {named} yet. Run `{rooms.command} sync {named}` first, or"
                " name a zip or a folder.",
                Ends.UNREADABLE,
            )
        yield Subject(
            f"{named}, landed for {landed.date}",
            rooms.workspace.policy_for(named, strict=strict),
            landed.date,
            accepted(rooms, named),
            landed=(rooms, landed),
            role_map=rooms.workspace.source(named).role_map,
            source=rooms.workspace.source(named),
        )


def _as_of(rooms: "Rooms", source: str, named: str, path: Path, *, strict: bool) -> Subject:
    """A package on this disk, read as those of a source are."""
    its = rooms.workspace.source(source)
    return Subject(
        named,
        rooms.workspace.policy_for(source, strict=strict),
        its.date_of(datetime.now(UTC)),
        None,
        path,
        role_map=its.role_map,
        source=its,
    )


def _profile(vendor: str) -> "Vendor":
    from roster_pipeline.cli.vendors import profile_of

    return profile_of(vendor)


@contextmanager
def source_rooms(context: typer.Context, named: str) -> Iterator["Rooms"]:
    """The workspace that has a source of that name. Raises Refusal where there is none."""
    from roster_pipeline.workspace.reading import ROSTER_YAML, files_of

    is_path = Path(named).name != named or Path(named).suffix
    if is_path or not (folder_of(context) / ROSTER_YAML).is_file():
        raise Refusal(f"There is no {named}.", Ends.UNREADABLE)
    with opened(context) as rooms:
        if any(problem.file in files_of("source", named) for problem in rooms.workspace.left_out):
            rooms.require_source(named)  # which tells what is wrong with its file
        if named not in rooms.workspace.sources:
            known = ", ".join(rooms.workspace.sources) or "none"
            raise Refusal(
                f"There is no {named}, and no source called so; there are: {known}.",
                Ends.UNREADABLE,
            )
        yield rooms


def accepted(rooms: "Rooms", source: str) -> "Roster | None":
    """The accepted roster of a source; None before its first."""
    found = rooms.ledger.accepted(source)
    return rooms.snapshots.open(found.snapshot) if found else None
