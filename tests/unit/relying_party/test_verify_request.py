"""The certification request in a dossier: the certified key asked for itself, in the request that the log knows."""

import hashlib

import pytest

from relying_party.verify_dossier import RefusedError, require_request
from tests.drafts import a_request
from tests.fakes.bank import new_key

KEY = new_key()
REQUEST = a_request(KEY)
DIGEST = hashlib.sha256(REQUEST).hexdigest()
SPKI = KEY.public.spki_der


def test_a_request_by_the_certified_key_that_the_log_knows_stands() -> None:
    require_request(REQUEST, DIGEST, SPKI, DIGEST)


@pytest.mark.parametrize(
    ("request_der", "digest", "logged", "sentence"),
    [
        pytest.param(REQUEST, "00" * 32, DIGEST, "does not match its digest", id="another was recorded"),
        pytest.param(REQUEST, DIGEST, "00" * 32, "the log knows another request", id="another was logged"),
        pytest.param(REQUEST, DIGEST, None, "the log knows another request", id="none was logged"),
        pytest.param(None, DIGEST, DIGEST, "the log knows the request", id="taken out"),
    ],
)
def test_one_that_was_exchanged_is_refused(
    request_der: bytes | None, digest: str, logged: str | None, sentence: str
) -> None:
    with pytest.raises(RefusedError, match=sentence):
        require_request(request_der, digest, SPKI, logged)


def test_one_for_another_key_is_refused() -> None:
    with pytest.raises(RefusedError, match="for another key"):
        require_request(REQUEST, DIGEST, new_key().public.spki_der, DIGEST)


def test_one_that_its_key_did_not_sign_is_refused() -> None:
    unsigned = REQUEST[:-1] + bytes([REQUEST[-1] ^ 1])
    digest = hashlib.sha256(unsigned).hexdigest()
    with pytest.raises(RefusedError, match="not signed with the key"):
        require_request(unsigned, digest, SPKI, digest)


def test_before_requests_were_kept_there_is_none() -> None:
    require_request(None, DIGEST, SPKI, None)
