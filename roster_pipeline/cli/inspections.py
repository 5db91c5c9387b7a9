"""`roster workspace`: whether the files of a workspace are in order."""

import os
from datetime import UTC, datetime

import typer

from roster_pipeline.cli.console import Ends, Format, FormatOption, Refusal, answer, end
from roster_pipeline.cli.rooms import folder_of

app = typer.Typer(
    help="Whether the files of a workspace are in order.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("check")
def check(context: typer.Context, form: FormatOption = Format.TEXT) -> None:
    """Say everything that is wrong in any file of the workspace, with its line and column.

    Warns of placeholders, secrets that are not set here, files that are named and are not there,
    and files that nobody reads. Asks no server, changes nothing. Exits 0 if there are no errors,
    1 if there are, 2 if the folder is no workspace.
    """
    from roster_pipeline.reports.inspections import inspection_document, inspection_text
    from roster_pipeline.workspace import WorkspaceError
    from roster_pipeline.workspace.inspection import inspect

    try:
        found = inspect(folder_of(context), os.environ, datetime.now(UTC))
    except WorkspaceError as error:
        raise Refusal(str(error), Ends.UNREADABLE) from error
    answer(inspection_text(found), inspection_document(found), form)
    end(Ends.ERROR if found.errors else Ends.DONE)
