"""Leave half of the certificate on a U-Shield, as some cards do when the power fails while it is being written.

Usage: half_written.py TOKEN_DIRECTORY PASSWORD
"""

import sys
from pathlib import Path

from pkcs11 import Attribute, CertificateType, ObjectClass

from ushield import softhsm
from ushield.choosing import Choice, open_token
from ushield.commands import drivers

softhsm.use_token_dir(Path(sys.argv[1]), create=False)
token = open_token(Choice("softhsm", None), drivers())
token.log_in(sys.argv[2])
(stored,) = token.certificates()
token.destroy_certificate(stored.id)
token._session.create_object(
    {
        Attribute.CLASS: ObjectClass.CERTIFICATE,
        Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
        Attribute.TOKEN: True,
        Attribute.PRIVATE: False,
        Attribute.SUBJECT: b"",
        Attribute.ID: stored.id,
        Attribute.LABEL: stored.label,
        Attribute.VALUE: stored.der[:100],
    }
)
token.close()
