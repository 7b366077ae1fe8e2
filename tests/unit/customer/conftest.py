"""The customer's app with a fake signer, called as the edge calls it: over a Unix socket, so without an address."""

import base64
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ca.throttle import Throttle
from customer.app import create_app
from customer.services import ToolPlace
from tests.fakes.signer import FakeSigner
from tests.fakes.software_ca import SoftwareCA

REFERENCE, CODE = "1234567894", "ABCD-EFGH-JKMC"


@pytest.fixture(scope="session")
def authority() -> SoftwareCA:
    return SoftwareCA()


@pytest.fixture
def signer(authority: SoftwareCA) -> FakeSigner:
    signer = FakeSigner(authority)
    signer.knows(REFERENCE, CODE)
    return signer


@pytest.fixture
def monotonic() -> list[float]:
    """One number: the time."""
    return [1000.0]


@pytest.fixture
def client(signer: FakeSigner, authority: SoftwareCA, tmp_path: Path, monotonic: list[float]) -> FlaskClient:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(authority.chain_pem)
    app = create_app(
        signer=signer,
        organization="Test <Bank>",
        chain_pem_path=chain,
        enrolment_url="https://bank.example/",
        public_url="http://status.bank.example",
        tool_place=ToolPlace(tmp_path / "tool", tmp_path / "tool-release.spki"),
        hotline="95588",
        throttle=Throttle(burst=10, per_second=1, monotonic=lambda: monotonic[0]),
    )
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = ""
    return client


@pytest.fixture
def basic() -> dict[str, str]:
    """The right codes as a header."""
    return authorization(REFERENCE, CODE)


def authorization(reference: str, code: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{reference}:{code}".encode()).decode()}
