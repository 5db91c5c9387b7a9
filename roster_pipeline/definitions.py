"""What Dagster loads: the definitions of the workspace that ROSTER_WORKSPACE names."""

import os
from pathlib import Path

from roster_pipeline.build import build_defs
from roster_pipeline.resources.redaction import redact_logs
from roster_pipeline.workspace import Workspace, locate

redact_logs()
defs = build_defs(Workspace.load(locate(os.environ, Path.cwd())))
