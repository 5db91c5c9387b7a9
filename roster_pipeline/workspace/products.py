"""What a file in `products/` may say, and a product's catalogue with its faults explained."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from roster_pipeline.accounts.config import AccountSettings
from roster_pipeline.courses.config import CourseSettings
from roster_pipeline.fields import Identifier, Part, Sources, Text
from roster_pipeline.workspace.located_yaml import read
from roster_pipeline.workspace.problems import Problem, WorkspaceError

if TYPE_CHECKING:
    from roster_pipeline.courses.catalogue import Catalogue


class Product(Part):
    """One product that districts learn with."""

    id: Identifier
    name: Text
    sources: Sources = "all"
    """Ids of the sources that use it."""
    courses: CourseSettings | None = None
    """How a district's courses become the product's; without it none are mapped."""
    accounts: AccountSettings | None = None
    """Who gets an account, as what, and where; without it nobody does."""

    @property
    def accounts_receiver(self) -> str:
        """How the ledger's deliveries call the accounts of this product."""
        return f"accounts/{self.id}"

    def takes(self, source: str) -> bool:
        """Whether a source uses this product."""
        return self.sources == "all" or source in self.sources


def open_catalogue(folder: Path, product: Product) -> "Catalogue":
    """The catalogue of a product that maps courses, in a workspace's folder.

    Raises `WorkspaceError` with every fault of the catalogue, and every rule that names a course
    which is not in it.
    """
    from roster_pipeline.courses.catalogue import read_catalogue
    from roster_pipeline.courses.files import FileError

    settings = product.courses
    if settings is None:
        raise ValueError(f"{product.id} maps no courses")
    try:
        catalogue = read_catalogue(folder / settings.catalogue, settings)
    except FileError as error:
        raise WorkspaceError(
            Problem(found.file, found.line, None, _sentence(found.message, found.column, found.fix))
            for found in error.findings
        ) from None
    if unknown := list(_unknown_courses(folder, product.id, settings, catalogue)):
        raise WorkspaceError(unknown)
    return catalogue


def _sentence(message: str, column: str | None, fix: str) -> str:
    where = f"`{column}`: " if column else ""
    return f"{where}{message} {fix}".rstrip()


def _unknown_courses(
    folder: Path, product: str, settings: CourseSettings, catalogue: "Catalogue"
) -> Iterator[Problem]:
    wrong = [
        number
        for number, rule in enumerate(settings.rules)
        if rule.course is not None and rule.course not in catalogue
    ]
    if not wrong:
        return
    file = next((folder / "products").glob(f"{product}.y*ml"))
    document = read(file.read_bytes())
    for number in wrong:
        place = document.place(["courses", "rules", number, "course"])
        yield Problem(
            file.relative_to(folder).as_posix(),
            place.line,
            place.column,
            f"`courses.rules.course`: {catalogue.file} has no course of this id",
        )
