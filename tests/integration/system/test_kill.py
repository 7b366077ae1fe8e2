"""kill -9 of the signer while many customers download: nothing is signed that is not recorded, nobody gets two.

Each customer's program does what docs/protocols/enrolment.md tells it: the same request again until it is answered.
"""

import base64
import http.client
import os
import random
import signal
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from tests.integration.system.running import Demo, children_of, wait_for

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]

CLIENTS = 4


@dataclass
class Download:
    """One customer: two codes, one request, and every certificate that was ever answered."""

    codes: Mapping[str, Any]
    request: bytes
    certificates: set[bytes] = field(default_factory=set)
    retries: int = 0


def new_download(codes: Mapping[str, Any]) -> Download:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ignored")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return Download(codes, base64.b64encode(request.public_bytes(Encoding.DER)))


def ask(demo: Demo, download: Download) -> int:
    """One try: the status, 0 when there was no answer."""
    context = ssl.create_default_context(cafile=str(demo.root_pem))
    connection = http.client.HTTPSConnection("localhost", demo.https, timeout=90, context=context)
    user = f"{download.codes['reference_number']}:{download.codes['authorization_code']}"
    headers = {
        "Authorization": f"Basic {base64.b64encode(user.encode()).decode()}",
        "Content-Type": "application/pkcs10",
    }
    try:
        connection.request("POST", "/.well-known/est/simpleenroll", download.request, headers)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
    if answer.status == http.client.OK:
        (certificate,) = pkcs7.load_der_pkcs7_certificates(base64.b64decode(body))
        download.certificates.add(certificate.public_bytes(Encoding.DER))
    return answer.status


def keep_asking(demo: Demo, downloads: list[Download], refusals: list[int]) -> None:
    for download in downloads:
        while not download.certificates:
            assert demo.process is not None
            if demo.process.poll() is not None:
                refusals.append(0)  # everything stopped: nobody will ever answer
                return
            status = ask(demo, download)
            if status in {0, 500, 502, 503, 504}:
                download.retries += 1
                time.sleep(0.05)
            elif status != http.client.OK:
                refusals.append(status)
                return


def kill_signers(
    demo: Demo, done: threading.Event, kills: dict[str, int], *, pause: float, most: int, masters: int
) -> None:
    """The worker, again and again; every so often the master, after which the supervisor waits longer and longer."""
    chance = random.Random(20261123)  # noqa: S311 - when to kill, not what to keep secret
    while sum(kills.values()) < most and not done.wait(pause * (0.5 + chance.random())):
        master = demo.pid_of("signer")
        worker = next(iter(children_of(master)), 0)
        what = "master" if sum(kills.values()) % masters == 2 else "worker"
        victim = master if what == "master" else worker
        if victim:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                continue
            kills[what] += 1


def download_while_killing(
    demo: Demo, count: int, *, pause: float, most: int, masters: int = 5
) -> tuple[list[Download], dict[str, int]]:
    downloads = [new_download(codes) for codes in demo.codes("machine", count)]
    done, kills, refusals = threading.Event(), {"worker": 0, "master": 0}, list[int]()
    how = {"pause": pause, "most": most, "masters": masters}
    killer = threading.Thread(target=kill_signers, args=(demo, done, kills), kwargs=how)
    shares = [downloads[number::CLIENTS] for number in range(CLIENTS)]
    clients = [threading.Thread(target=keep_asking, args=(demo, share, refusals)) for share in shares]
    for thread in (killer, *clients):
        thread.start()
    for thread in clients:
        thread.join()
    done.set()
    killer.join()
    assert refusals == [], demo.output
    return downloads, kills


def require_agreement(demo: Demo, downloads: list[Download]) -> None:
    """Customers, database and audit log tell the same story."""
    wait_for("the signer to answer again", lambda: demo.pki("reconcile").status == 0)
    again = demo.pki("reconcile")
    assert again.out.startswith("0 unfinished"), again

    held = {download.codes["reference_number"]: download.certificates for download in downloads}
    assert {len(certificates) for certificates in held.values()} == {1}
    recorded = demo.rows(
        "SELECT reference, code_pairs.state, applications.state, der, serial FROM code_pairs"
        " JOIN certificates USING (application) JOIN applications ON applications.id = application"
    )
    mine = [row for row in recorded if row[0] in held]
    assert len(mine) == len(downloads)
    assert all((codes, case) == ("claimed", "completed") for _, codes, case, _, _ in mine)
    assert {reference: {der} for reference, _, _, der, _ in mine} == held

    serials = [int(serial, 16) for (serial,) in demo.rows("SELECT serial FROM certificates")]
    assert len(serials) == len(set(serials))
    # Every intent became a certificate and every certificate, but the CA's own from the ceremony, was an intent.
    intents = dict(demo.rows("SELECT serial, signed FROM intents"))
    certified = {serial for (serial,) in demo.rows("SELECT serial FROM certificates WHERE profile <> 'issuing-ca'")}
    assert set(intents) == certified
    assert set(intents.values()) == {1}
    events = demo.rows("SELECT name, subject FROM audit_events WHERE name LIKE 'certificate.i%'")
    assert sorted(subject for name, subject in events if name == "certificate.issued") == sorted(certified)
    assert sorted(subject for name, subject in events if name == "certificate.intended") == sorted(certified)

    proved = demo.pki("audit", "verify")
    assert proved.status == 0, proved


def logs_of(demo: Demo) -> str:
    return "".join(file.read_text("utf-8", "replace") for file in sorted(Path(demo.state / "log").glob("*.log")))


def test_a_signer_killed_during_downloads_loses_and_doubles_nothing(victim: Demo) -> None:
    downloads, kills = download_while_killing(victim, 60, pause=0.6, most=5)

    assert kills["worker"] >= 1
    require_agreement(victim, downloads)
    repeated = [ask(victim, download) for download in downloads[:5]]
    assert repeated == [200] * 5
    assert all(len(download.certificates) == 1 for download in downloads)


def test_a_signer_whose_master_is_killed_is_started_again(victim: Demo) -> None:
    before = victim.pid_of("signer")

    os.kill(before, signal.SIGKILL)

    wait_for("another master", lambda: victim.pid_of("signer") != before)
    wait_for("its answer", lambda: victim.pki("reconcile").status == 0)
    assert "signer ended (signal SIGKILL) and starts again" in victim.output
    assert "Traceback" not in logs_of(victim)


@pytest.mark.campaign
def test_a_thousand_downloads_survive_a_signer_killed_again_and_again(victim: Demo) -> None:
    began = time.monotonic()

    downloads, kills = download_while_killing(victim, 1000, pause=1.5, most=60, masters=15)

    require_agreement(victim, downloads)
    retries = sum(download.retries for download in downloads)
    print(f"\n1000 certificates, {kills}, {retries} retries, {time.monotonic() - began:.0f} s")  # noqa: T201
