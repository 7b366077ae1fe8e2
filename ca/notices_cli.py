"""`./pki notices send`: what the signer has for customers, to the bank's mail server. For a timer."""

import smtplib

import click

from ca.adapters.notices import MailServer
from ca.domain.errors import InvalidRequest, NotReady
from ca.terminal import Context, say, speaking

_HERE = {"localhost", "127.0.0.1", "::1"}


@click.group()
def notices() -> None:
    """E-mails that tell customers what happened to their certificates."""


@notices.command()
@click.option("--server", required=True, metavar="HOST:PORT", help="The bank's mail server.")
@click.option("--ca-file", default="", help="Whom to trust for its TLS; needed unless it is on this machine.")
@click.pass_obj
@speaking
def send(context: Context, server: str, ca_file: str) -> None:
    """Send what is in the outbox. What was not taken stays there."""
    host, _, port = server.rpartition(":")
    if not host or not port.isdigit():
        raise InvalidRequest("name the mail server as HOST:PORT")
    if not ca_file and host not in _HERE:
        raise InvalidRequest("--ca-file is needed: notices would travel in clear otherwise")
    try:
        sent = MailServer(host, int(port), ca_file).send_all(context.state / "outbox")
    except (OSError, smtplib.SMTPException) as error:
        raise NotReady(
            f"the mail server {server} does not take them: {error}; what is left stays in the outbox"
        ) from error
    say(f"{sent} sent")
