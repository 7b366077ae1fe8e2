"""Policy and settings: two officers decide on the one (`policy.py`), a file says the other when the signer starts."""

from typing import Any

from flask import Blueprint, render_template

from admin.errors import sentence
from admin.policy import TITLES, policy
from admin.signer import ask
from ca.authority_operations import ShowSettings
from ca.domain.errors import Tampered
from ca.policy_operations import ShowPolicy

views = Blueprint("settings", __name__, url_prefix="/admin")


@views.get("/settings/")
def index() -> str:
    """Each number of the policy with its history, and each setting with where it comes from."""
    rows, trouble = ask(ShowSettings)["settings"], ""
    shown: dict[str, Any] = {}
    try:
        shown = ask(ShowPolicy)
    except Tampered as error:
        trouble = sentence(error)
    strictest = policy().numbers() if trouble else {}
    return render_template(
        "console/settings.html", rows=rows, shown=shown, titles=TITLES, trouble=trouble, strictest=strictest
    )
