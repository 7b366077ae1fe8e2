"""The settings in force, read-only: they are a file's, and the signer reads it when it starts."""

from flask import Blueprint, render_template

from admin.signer import ask
from ca.authority_operations import ShowSettings

views = Blueprint("settings", __name__, url_prefix="/admin")


@views.get("/settings/")
def index() -> str:
    """Each with where it comes from."""
    rows = ask(ShowSettings)["settings"]
    return render_template("console/settings.html", rows=rows)
