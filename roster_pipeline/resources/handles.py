"""What travels between assets: handles on stored data, as small JSON files."""

import os
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import TypeAdapter, ValidationError


class Handles(dg.IOManager):
    """Keeps each asset's handle under its key and partition, in the type that a reader names.

    Files are replaced whole, so that a lost process leaves the old handle or the new one. One that
    another version wrote may lack what this one needs: whoever reads it is told to sync again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        path = self._path(context)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}-{os.getpid()}")
        draft.write_bytes(TypeAdapter(type(obj)).dump_json(obj))
        draft.replace(path)

    def load_input(self, context: dg.InputContext) -> Any:
        path = self._path(context)
        if not path.exists():
            raise dg.Failure(
                f"{context.asset_key.to_user_string()} has not been made for"
                f" {context.asset_partition_key} yet. Run the job `sync` for this partition.",
                allow_retries=False,
            )
        try:
            return TypeAdapter(context.dagster_type.typing_type).validate_json(path.read_bytes())
        except ValidationError:
            raise dg.Failure(_unreadable(context), allow_retries=False) from None

    def _path(self, context: dg.OutputContext | dg.InputContext) -> Path:
        # A partition's name holds a bar between its two parts; the file's name has none.
        name = context.asset_partition_key.replace("|", "_")
        return self._folder.joinpath(*context.asset_key.path, f"{name}.json")


def _unreadable(context: dg.InputContext) -> str:
    # The dimensions of a partition stand in the order of their names: date, source.
    day, _, source = context.asset_partition_key.partition("|")
    return (
        f"What was kept as {context.asset_key.to_user_string()} of {source} on {day} cannot be"
        " read: another version of roster-pipeline wrote it, or it is damaged."
        f" Sync again: `roster sync {source} --date {day}`."
    )
