"""The signer of a real demo answers what the console asks: with its seals, its log and its HSM, over its own socket.

It knows nothing of the bank that the console shows, whose rows stand under no seal. So each question is asked about
something alike that the demo has: a case, a customer, a certificate of its own. What that costs does not depend on how
many others there are: the signer finds by key what it is asked about.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from bench.experiment import Bench, Unmeasured
from bench.product import new_demo
from ca import case_operations as case_ops
from ca import operations as ops
from ca.authority_operations import ListProfiles, ShowProfile, ShowSettings, ShowTool
from ca.certificate_operations import ExamineCertificate, ForeseeRevocation
from ca.demo.codes import make_codes
from ca.demo.officers import CHECKER, MAKER, SECURITY, DemoOfficer, DemoOfficers
from ca.domain.errors import PKIError
from ca.officer_operations import ProposeOfficerChange, ShowAccess, ShowOfficerChange
from ca.policy_operations import PolicyInForce, ShowPolicy
from ca.signer_client import SignerClient

_LINES = 20
"""Of a batch."""
_BRANCH = "pudong"


@dataclass(frozen=True, slots=True)
class RealSigner:
    """`alike`: kind of question -> which demo officer asks it, and about what."""

    client: SignerClient
    alike: dict[type[ops.OfficerOperation], tuple[DemoOfficer, dict[str, str]]]

    def call(self, operation: ops.Operation) -> dict[str, Any]:
        """The signer's answer. Raises Unmeasured for a question that is not foreseen here."""
        if isinstance(operation, (ops.Health, PolicyInForce)):
            return self.client.call(operation)
        kind = type(operation)
        if not issubclass(kind, ops.OfficerOperation) or kind not in self.alike:
            raise Unmeasured(f"a page asked the signer for {operation.path}")
        officer, about = self.alike[kind]
        kept = operation.model_dump(exclude={"session", *about})
        return self.client.call(kind(session=officer.session, **kept, **about))


@contextmanager
def real_signer(bench: Bench) -> Iterator[RealSigner]:
    """Of a new demo, which ends with the block. Raises Unmeasured."""
    with new_demo(bench.place("signer") / "state") as product:
        client = SignerClient(product.state / "run" / "signer.sock")
        officers = DemoOfficers(client, product.state / "demo")
        try:
            yield RealSigner(client, _alike(client, officers))
        except PKIError as error:
            raise Unmeasured(f"the demo's signer refused: {error}") from error


def _alike(
    client: SignerClient, officers: DemoOfficers
) -> dict[type[ops.OfficerOperation], tuple[DemoOfficer, dict[str, str]]]:
    maker, checker, security = officers[MAKER], officers[CHECKER], officers[SECURITY[0]]
    customer = maker.call(
        ops.RegisterCustomer, kind="person", number="C1", name="Zhang Wei", document_number="D1", email="c@example.com"
    )["customer"]
    maker.call(ops.RegisterDevice, serial="US1", model="U-Shield 3")
    asked = {"customer": customer, "profile": "personal-signing", "device_serial": "US1"}
    case = maker.call(case_ops.SubmitApplication, **asked)["application"]
    invitation = security.call(
        ops.ProposeInvitation, person="E9000", name="Nina Luo", branch=_BRANCH, roles=["ra-operator"]
    )["invitation"]
    who = client.call(ops.WhoAmI(session=maker.session))["officer"]["id"]
    change = security.call(
        ProposeOfficerChange, officer=who, branch=_BRANCH, roles=["ra-operator"], reason="moves to another desk"
    )["change"]
    serial = _certificate(client, officers)
    return {
        ops.WhoAmI: (maker, {}),
        ops.NoteLook: (maker, {"customer": customer}),
        ExamineCertificate: (maker, {"serial": serial}),
        ForeseeRevocation: (maker, {"serial": serial}),
        case_ops.ShowCase: (checker, {"application": case}),
        case_ops.ShowBatch: (checker, {"batch": _batch(maker)}),
        ops.ShowInvitation: (security, {"invitation": invitation}),
        ShowOfficerChange: (security, {"change": change}),
        ShowAccess: (maker, {}),
        ShowSettings: (security, {}),
        ShowPolicy: (security, {}),
        ListProfiles: (security, {}),
        ShowProfile: (security, {}),
        ShowTool: (security, {}),
    }


def _certificate(client: SignerClient, officers: DemoOfficers) -> str:
    """Serial number of a certificate that a customer was issued."""
    codes = next(make_codes(officers, "machine", 1))
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, hashes.SHA256())
    reference, code = codes["reference_number"], codes["authorization_code"]
    wanted = ops.Enrol(reference=reference, code=code, request=request.public_bytes(Encoding.DER))
    return str(client.call(wanted)["serial"])


def _batch(maker: DemoOfficer) -> str:
    maker.call(ops.RegisterCustomer, kind="company", number="B0", name="Bench Trading", document_number="BL0")
    lines = []
    for n in range(1, _LINES + 1):
        maker.call(ops.RegisterDevice, serial=f"BUS{n}", model="U-Shield 3")
        who = {"number": f"B{n}", "name": f"Wang Li {n}", "document_number": f"BD{n}"}
        lines.append(case_ops.BatchLineMessage(**who, device_serial=f"BUS{n}"))
    entered = maker.call(case_ops.SubmitBatch, company="B0", profile="corporate-operator", lines=lines, apply=True)
    if not entered["batch"]:
        raise Unmeasured(f"the demo's signer refused a batch: {entered['problems'][:1]}")
    return str(entered["batch"])
