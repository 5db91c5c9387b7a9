"""The columns that a bulk file leaves blank and a delta file fills."""

import numpy as np

from roster_pipeline.oneroster.findings import Findings, Severity
from roster_pipeline.oneroster.manifest import Mode
from roster_pipeline.oneroster.package import PackageBlock
from roster_pipeline.oneroster.rules import Policy
from roster_pipeline.oneroster.text_faults import readable
from roster_pipeline.quality.cell_rules import BULK_STATUS, DELTA_STATUS
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import arrow


def judge_status(block: PackageBlock, mode: Mode, policy: Policy) -> Findings:
    """Findings for rows with a status or dateLastModified where there is none, or without.

    A delta row without its status is taken for an active one. One that only names what is to be
    deleted needs no dateLastModified, but where the standard is insisted on.
    """
    filled = [
        pc.is_valid(arrow(block.frame[name])).to_numpy(zero_copy_only=False)
        for name in BULK_STATUS.columns
    ]
    if mode is Mode.BULK:
        rule, (first, second) = BULK_STATUS, filled
    else:
        rule, (first, second) = DELTA_STATUS, [~some for some in filled]
        if second.any() and policy.severity(rule) is not Severity.STOP:
            second &= ~block.frame["status"].eq("tobedeleted").fillna(False).to_numpy(dtype=bool)
    findings = Findings()
    for name, broken in zip(rule.columns, (first, second & ~first), strict=True):
        if broken.any():
            rows = np.flatnonzero(broken)
            findings.add(
                rule.at(
                    block.file,
                    name,
                    block.lines[rows],
                    entity=block.entity,
                    sourced_ids=readable(arrow(block.frame["sourcedId"]).take(rows)),
                )
            )
    return findings
