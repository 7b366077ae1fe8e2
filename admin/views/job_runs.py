"""A CA administrator has a job run at once; how it went is on the job's page."""

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from admin.signer import ask
from ca.authority_operations import RunJobNow

views = Blueprint("job_runs", __name__, url_prefix="/admin")


@views.post("/jobs/<name>/run")
def run(name: str) -> Response:
    """Due or not. Who runs it already is told."""
    ask(RunJobNow, name=name)
    return redirect(url_for("jobs.details_view", id=name), 303)
