"""What the edge says at the officers' door, and an officer with a bound certificate."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from ca.domain.bindings import CertificateBinding
from ca.domain.certificates import Certificate
from ca.domain.officers import Officer
from ca.domain.vouchers import door_target, vouched
from tests.fakes.bank import MARIA, SECOND_SECURITY, SECURITY, Bank


def vouch(bank: Bank, challenge: bytes, certificate_der: bytes, key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    """The edge's signature over the request that signs in."""
    return (key or bank.edge_key).sign(vouched(door_target(challenge), certificate_der), ec.ECDSA(SHA256()))


def proposed(bank: Bank, certificate: Certificate, *, person: str = MARIA, by: str = SECURITY) -> CertificateBinding:
    officer = bank[person].officer
    return bank.door.bind.propose(
        bank.session(by), officer.id, serial=certificate.serial, reason="a U-Shield of theirs"
    )


def approved(bank: Bank, binding: CertificateBinding, *, by: str = SECOND_SECURITY) -> CertificateBinding:
    view = bank.door.bind.show(bank.session(by), binding.id)
    assertion = bank[by].passkey.sign(view.challenge)
    return bank.door.bind.approve(bank.session(by), binding.id, binding_digest=binding.digest(), assertion=assertion)


def bound(bank: Bank, certificate: Certificate, *, person: str = MARIA) -> CertificateBinding:
    return approved(bank, proposed(bank, certificate, person=person))


def entered(bank: Bank, certificate_der: bytes) -> tuple[str, Officer]:
    """Through the door, as the console asks: session and officer."""
    challenge = bank.door.sign_in.challenge()
    return bank.door.sign_in(challenge, certificate_der, vouch(bank, challenge, certificate_der))
