"""What Dagster loads: the definitions of the workspace that ROSTER_WORKSPACE names."""

import os
from pathlib import Path

from roster_pipeline.build import build_defs
from roster_pipeline.workspace import Workspace, locate

defs = build_defs(Workspace.load(locate(os.environ, Path.cwd())))
