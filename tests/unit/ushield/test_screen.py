"""What the customer reads."""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from tests.fakes.ushield import certificate_for
from ushield.screen import certificate_json, subject_of


def test_a_name_has_no_bare_object_identifier() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    issued = x509.load_der_x509_certificate(certificate_for(key.public_key()))
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COMMON_NAME, "Zhang Wei"),
            x509.NameAttribute(x509.NameOID.SERIAL_NUMBER, "C7"),
        ]
    )
    again = (
        x509.CertificateBuilder(name, name, key.public_key(), issued.serial_number)
        .not_valid_before(issued.not_valid_before_utc)
        .not_valid_after(issued.not_valid_after_utc)
        .sign(key, SHA256())
    )

    assert subject_of(again) == "serialNumber=C7,CN=Zhang Wei"
    assert certificate_json(again)["issuer"] == "serialNumber=C7,CN=Zhang Wei"
