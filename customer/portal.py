"""The portal's page: what a customer needs, what is possible today, and where others check signatures."""

import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Blueprint, Response, current_app, jsonify, render_template, send_from_directory

from customer.account import own_devices
from customer.est import read_chain
from customer.services import services

views = Blueprint("portal", __name__)


@views.get("/")
def home() -> str:
    """What to do with the letter from the branch."""
    root = _root()
    return render_template(
        "customer/portal.html",
        organization=services().organization,
        server=services().enrolment_url,
        status_url=services().public_url,
        hotline=services().hotline,
        root_name=root.subject.rfc4514_string(),
        root_fingerprint=_in_fours(hashlib.sha256(root.public_bytes(Encoding.DER)).hexdigest()),
        root_until=root.not_valid_after_utc,
    )


@views.get("/download")
def download() -> str:
    """Download my Certificate, step by step."""
    return render_template(
        "customer/download.html",
        organization=services().organization,
        server=services().enrolment_url,
        hotline=services().hotline,
        devices=own_devices(),
    )


@views.get("/check")
def check() -> str:
    """Check this computer: what is there, and what to do where something is not."""
    return render_template(
        "customer/check.html",
        organization=services().organization,
        hotline=services().hotline,
        devices=own_devices(),
    )


@views.get("/certificate-password")
def certificate_password() -> str:
    """Reset my Certificate Password: with the present one, here; without it, at the branch."""
    return render_template("customer/certificate_password.html", organization=services().organization)


@views.get("/root.pem")
def root_certificate() -> Response:
    """The bank's root certificate, to be compared with its fingerprint before anybody trusts it."""
    response = Response(_root().public_bytes(Encoding.PEM), mimetype="application/x-pem-file")
    response.headers["Content-Disposition"] = 'attachment; filename="root.pem"'
    return response


@views.get("/static/<path:filename>")
def static(filename: str) -> Response:
    """Style and mark; the fixed folder is all that can be named (T-41)."""
    return send_from_directory(Path(current_app.root_path) / "static", filename)


@views.get("/health")
def health() -> Response:
    """This process answers; whether the signer does is for `./pki doctor` and the console to say."""
    return jsonify({"status": "ok"})


def _root() -> x509.Certificate:
    return read_chain(services().chain_pem_path)[-1]


def _in_fours(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))
