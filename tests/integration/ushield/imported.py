"""Put a key that was made outside onto a U-Shield, under the name of a download, and make a request with it.

Usage: imported.py TOKEN_DIRECTORY PASSWORD REFERENCE ALGORITHM EXTRACTABLE
EXTRACTABLE is yes or no. Standard output gets, in base64, what the tool would send if it did not look itself.
"""

import sys
from base64 import b64encode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pkcs11 import Attribute
from pkcs11.util.ec import decode_ec_private_key, decode_ec_public_key
from pkcs11.util.rsa import decode_rsa_private_key, decode_rsa_public_key

from ushield import softhsm
from ushield.choosing import Choice, open_token
from ushield.commands import drivers
from ushield.download import key_id_of
from ushield.keys import spki
from ushield.request import certification_request, named

directory, password, reference, algorithm, extractable = sys.argv[1:]
softhsm.use_token_dir(Path(directory), create=False)
token = open_token(Choice("softhsm", None), drivers())
token.log_in(password)

made: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
if algorithm == "rsa-2048":
    made = rsa.generate_private_key(65537, 2048)
    public = decode_rsa_public_key(made.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1))
    private = decode_rsa_private_key(made.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
else:
    made = ec.generate_private_key(ec.SECP256R1())
    public = decode_ec_public_key(spki(made.public_key()))
    private = decode_ec_private_key(made.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
common = {Attribute.TOKEN: True, Attribute.ID: key_id_of(reference), Attribute.LABEL: "imported"}
token._session.create_object({**public, **common})
token._session.create_object(
    {
        **private,
        **common,
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: extractable == "yes",
        Attribute.SIGN: True,
    }
)
key = token.key(key_id_of(reference))
assert key is not None
request = certification_request(key, named(reference), lambda data: token.sign(key, data))
sys.stdout.write(b64encode(request).decode())
token.close()
