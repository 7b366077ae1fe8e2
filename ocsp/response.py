"""What was signed, read back: what it says of which certificate, when, and until when."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ca.domain import der
from ca.domain.errors import InvalidRequest, PKIError


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """An OCSPResponse with an answer in it. `said` is CertID and status of each, as `ca.domain.ocsp.said_of` has it."""

    der: bytes
    said: tuple[bytes, ...]
    produced_at: datetime
    this_update: datetime
    next_update: datetime
    signature: bytes


def parse_answer(blob: bytes) -> SignedAnswer:
    """Raises PKIError unless it is a successful response as the signer makes them."""
    try:
        status, tagged = der.parse(blob, "the signer's answer").children()
        basic = der.parse(tagged.children()[0].children()[1].content, "the signer's answer").children()
        _, produced_at, listed = basic[0].children()[:3]
        singles = [single.children() for single in listed.children()]
        this_update, next_update = singles[0][2], singles[0][3].children()[0]
        if status.der != der.enumerated(0):
            raise PKIError("the signer's answer is not a successful one")
        return SignedAnswer(
            blob,
            tuple(single[0].der + single[1].der for single in singles),
            _instant(produced_at),
            _instant(this_update),
            _instant(next_update),
            basic[2].content[1:],
        )
    except (ValueError, IndexError, InvalidRequest) as error:
        raise PKIError("the signer's answer is not an OCSP response as it makes them") from error


def _instant(element: der.Element) -> datetime:
    return datetime.strptime(element.content.decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
