"""The sensor that says which files of the workspace are not used as they are now."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import dagster as dg

from roster_pipeline.automation.ticks import Answer, TickFailedError
from roster_pipeline.workspace import Workspace
from roster_pipeline.workspace.reading import Stamp, stamps

_RELOAD: Final = "Reload the code location (Deployment, then Reload)"
_SAID: Final = 20
_SECONDS: Final = 60


def workspace_files_sensor(workspace: Workspace, *, seconds: int) -> dg.SensorDefinition:
    """One sensor for all files: fails while there is one that was left out when the location was
    loaded, and tells of those that have changed since."""
    loaded = stamps(workspace.folder)

    @dg.sensor(
        name="workspace_files",
        description="Tells of files of the workspace that have errors, or have changed since.",
        minimum_interval_seconds=max(seconds, _SECONDS),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def workspace_files() -> Answer:
        return _look(workspace, loaded)

    return workspace_files


def _look(workspace: Workspace, loaded: Mapping[Path, Stamp]) -> Answer:
    now = stamps(workspace.folder)
    changed = sorted(path for path in {*loaded, *now} if loaded.get(path) != now.get(path))
    names = [path.relative_to(workspace.folder).as_posix() for path in changed]
    if workspace.left_out:
        said = [str(problem) for problem in workspace.left_out[:_SAID]]
        if rest := workspace.left_out[_SAID:]:
            said.append(f"… and {len(rest):,} more: `roster workspace check` says them all.")
        wrong = {problem.file for problem in workspace.left_out}
        next_ = _RELOAD if wrong.issubset(names) else f"Mend them. {_RELOAD}"
        raise TickFailedError("\n".join(["These files are left out:", *said, f"{next_}."]))
    if names:
        listed = ", ".join(names[:_SAID]) + (" and others" if names[_SAID:] else "")
        return dg.SkipReason(f"Changed since the files were loaded: {listed}. {_RELOAD}.")
    return dg.SkipReason("Every file of the workspace is used as it is.")
