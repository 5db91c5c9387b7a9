"""Which of a product's courses a district's are, and the sections that the product has of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from roster_pipeline.assets.products import product_group, product_key
from roster_pipeline.assets.steps import step
from roster_pipeline.courses.matching import READ, CourseMap, Status, map_courses
from roster_pipeline.courses.sections import sections as sections_of
from roster_pipeline.reports.bars import bar_svg
from roster_pipeline.reports.tables import markdown_table
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.store import Outcome, Snapshot
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.workspace import Product, Workspace, open_catalogue


@dataclass(frozen=True)
class MappedCourses:
    """A handle on the course map of one accepted roster, which lies beside it in the store."""

    roster: Snapshot
    table: str
    counts: dict[str, int]
    """Courses by status."""


def course_map_key(product: str) -> dg.AssetKey:
    """The asset of a product's course map."""
    return product_key(product, "course_map")


def sections_key(product: str) -> dg.AssetKey:
    """The asset of a product's sections."""
    return product_key(product, "sections")


def course_map(product: Product, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset that maps every source's courses for a product with `courses:`."""

    @dg.asset(
        key=course_map_key(product.id),
        description=f"What each course of the source is for {product.id}: decided, by code, by rule"
        ", or nothing yet.",
        partitions_def=partitions,
        group_name=product_group(product.id),
        kinds={"parquet"},
        output_required=False,
    )
    def course_map(
        sync_run: dg.ResourceParam[SyncRun],
        workspace: dg.ResourceParam[Workspace],
        snapshots: dg.ResourceParam[Snapshots],
        accepted_roster: Snapshot,
    ) -> Iterator[dg.MaterializeResult[MappedCourses]]:
        source, settings = sync_run.source.id, product.courses
        with step(sync_run, f"Mapping courses for {product.id}"):
            if settings is None or not _concerns(product, sync_run, accepted_roster):
                return
            mapped = map_courses(
                snapshots.open(accepted_roster).columns("courses", READ),
                open_catalogue(workspace.folder, product),
                sync_run.ledger.course_decisions(product.id, source),
                settings,
                source,
            )
            table = f"course-map.{product.id}"
            snapshots.put_table(accepted_roster, table, mapped.courses)
            counts = mapped.counts
            if waiting := counts[Status.UNMAPPED.value]:
                sync_run.ends(Outcome.NOTHING_NEW, _waiting(waiting, len(mapped.courses), product))
            yield dg.MaterializeResult(
                value=MappedCourses(accepted_roster, table, counts),
                metadata={
                    **counts,
                    "bar": dg.MetadataValue.md(bar_svg(counts, title="courses")),
                    "by": dg.MetadataValue.md(markdown_table(("by", "courses"), _by(mapped))),
                },
            )

    return course_map


def unmapped(
    product: Product, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetChecksDefinition:
    """The check that warns of courses which wait for a person."""

    @dg.asset_check(
        asset=course_map_key(product.id),
        name="unmapped",
        description="Every course is mapped or ignored; see `roster courses unmapped`.",
        partitions_def=partitions,
    )
    def unmapped(mapped: MappedCourses) -> dg.AssetCheckResult:
        waiting = mapped.counts[Status.UNMAPPED.value]
        return dg.AssetCheckResult(
            passed=waiting == 0,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"unmapped": waiting, "courses": sum(mapped.counts.values())},
        )

    return unmapped


def sections(product: Product, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset that lists the sections of a product with `courses:`."""

    @dg.asset(
        key=sections_key(product.id),
        description=f"The classes that {product.id} has of the source, with teachers and terms.",
        ins={"mapped": dg.AssetIn(course_map_key(product.id))},
        partitions_def=partitions,
        group_name=product_group(product.id),
        kinds={"parquet"},
        output_required=False,
    )
    def sections(
        sync_run: dg.ResourceParam[SyncRun],
        snapshots: dg.ResourceParam[Snapshots],
        mapped: MappedCourses,
    ) -> Iterator[dg.MaterializeResult[None]]:
        with step(sync_run, f"Listing sections for {product.id}"):
            if not _concerns(product, sync_run, mapped.roster):
                return
            made = sections_of(
                snapshots.open(mapped.roster),
                CourseMap(snapshots.table(mapped.roster, mapped.table)),
                sync_run.date,
            )
            where = snapshots.put_table(mapped.roster, f"sections.{product.id}", made.frame)
            counts = made.counts
            yield dg.MaterializeResult(
                metadata={
                    "dagster/row_count": len(made.frame),
                    "counts": dg.MetadataValue.md(markdown_table(("classes", ""), counts.items())),
                    "file": dg.MetadataValue.path(where),
                },
            )

    return sections


def _concerns(product: Product, run: SyncRun, roster: Snapshot) -> bool:
    """Whether the product takes the source, and the roster is still the accepted one."""
    return product.takes(run.source.id) and run.accepted(roster) is not None


def _by(mapped: CourseMap) -> list[tuple[str, int]]:
    found = mapped.courses["how"].dropna().value_counts()
    return sorted((str(how), int(count)) for how, count in found.items())


def _waiting(unmapped: int, courses: int, product: Product) -> str:
    return (
        f"{unmapped:,} of {courses:,} courses are none of {product.id} yet; see"
        " `roster courses unmapped`."
    )
