"""What Dagster loads: the definitions of the workspace that ROSTER_WORKSPACE names.

A file with an error is left out, so that one district's slip does not take the others down. The
sensor `workspace_files` fails then and says what is wrong, and so does the log.
"""

import logging
import os
from pathlib import Path

from roster_pipeline.build import build_defs
from roster_pipeline.resources.redaction import redact_logs
from roster_pipeline.workspace import Workspace, locate

redact_logs()
workspace = Workspace.load(locate(os.environ, Path.cwd()), leave_out=True)
for problem in workspace.left_out:
    logging.getLogger(__name__).warning("Left out: %s", problem)
defs = build_defs(workspace)
