"""The certification request in a dossier: the certified key asked for itself, in the request that the log knows."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from relying_party.verify_dossier import RefusedError, require_request, told_of_key
from tests.drafts import BORN, P384, SoftKey, a_request, saying
from tests.fakes.bank import new_key

KEY, RSA = new_key(), SoftKey(rsa.generate_private_key(65537, 2048))
REQUEST = a_request(KEY)
DIGEST = hashlib.sha256(REQUEST).hexdigest()
SPKI = KEY.public.spki_der


def test_a_request_by_the_certified_key_that_the_log_knows_stands() -> None:
    require_request(REQUEST, {DIGEST}, SPKI)


@pytest.mark.parametrize("digests", [{"00" * 32}, {DIGEST, "00" * 32}], ids=["another request", "recorded, not logged"])
def test_one_that_was_exchanged_is_refused(digests: set[str]) -> None:
    with pytest.raises(RefusedError, match="does not match its digest"):
        require_request(REQUEST, digests, SPKI)


@pytest.mark.parametrize("key", [KEY, P384, RSA], ids=["P256", "P384", "RSA"])
@pytest.mark.parametrize("attributes", [None, saying(BORN)], ids=["no attributes", "as the tool"])
def test_every_request_that_is_answered_can_be_verified(key: SoftKey, attributes: bytes | None) -> None:
    request = a_request(key, attributes=attributes)
    digest = hashlib.sha256(request).hexdigest()
    require_request(request, {digest}, key.public.spki_der)


def test_one_for_another_key_is_refused() -> None:
    with pytest.raises(RefusedError, match="for another key"):
        require_request(REQUEST, {DIGEST}, new_key().public.spki_der)


def test_one_that_its_key_did_not_sign_is_refused() -> None:
    unsigned = REQUEST[:-1] + bytes([REQUEST[-1] ^ 1])
    digest = hashlib.sha256(unsigned).hexdigest()
    with pytest.raises(RefusedError, match="not signed with the key"):
        require_request(unsigned, {digest}, SPKI)


def test_what_the_tool_said_of_the_key_is_told() -> None:
    assert told_of_key(REQUEST) == BORN
    assert told_of_key(a_request(KEY, attributes=None)) == "nothing"
