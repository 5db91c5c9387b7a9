from unittest.mock import create_autospec

import dagster as dg
import pytest

from roster_pipeline.assets.steps import step
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.store import Outcome
from roster_pipeline.transport.errors import CredentialsUnusable


@pytest.mark.parametrize(
    ("of", "error", "said"),
    [
        ("lms", "The variable LMS_KEY is not set", "Delivering to lms: The variable LMS_KEY is"),
        ("lms", "destinations/lms.yaml: no such school", "destinations/lms.yaml: no such school"),
        ("app", "my-app does not answer", "Delivering to app: my-app does not answer"),
        (None, "The variable LMS_KEY is not set", "The variable LMS_KEY is not set"),
    ],
)
def test_an_error_of_one_of_many_steps_names_the_one(of: str | None, error: str, said: str) -> None:
    run = create_autospec(SyncRun, instance=True, watch=create_autospec(object))
    run.watch.on_step = lambda _: None
    with pytest.raises(dg.Failure) as failed, step(run, f"Delivering to {of}", of=of):
        raise CredentialsUnusable(error)
    assert str(failed.value.description).startswith(said)
    ((outcome, told), _) = run.ends.call_args
    assert (outcome, told) == (Outcome.FAILED, failed.value.description)
