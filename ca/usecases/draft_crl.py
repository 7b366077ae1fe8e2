"""From the records to the bytes of a CRL, each entry compared with what was said before (CPS section 4.9.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.domain import der
from ca.domain.crl import CRLFrame, CRLScope
from ca.domain.crl_reading import differences, verify_kept
from ca.domain.errors import LintFailed, NotReady
from ca.domain.keys import SIGNATURE_OF
from ca.keeping import Standings
from ca.ports import Linter, Work
from ca.publishing import DraftFile
from ca.usecases.acted import require_not_revoked
from ca.usecases.crl_contents import Contents
from ca.usecases.last_crls import LastCRL

_LINTED = 20
_STAND_IN = der.sequence(der.integer(1), der.integer(1))


@dataclass(frozen=True, slots=True)
class DraftCRL:
    """A TBSCertList in a file that nobody sees yet."""

    scope: CRLScope
    frame: CRLFrame
    file: DraftFile
    entries: int
    sample: tuple[bytes, ...]
    """All entries of a short list, some of a long one, from its beginning to its end."""
    shows: int
    """The audit event up to which it shows everything."""
    unexpired_at: datetime


def draft(
    work: Work,
    scope: CRLScope,
    said: Contents,
    file: DraftFile,
    before: Sequence[LastCRL],
    standings: Standings,
) -> DraftCRL:
    """Write the list. Raises Tampered when it would take back what `before` said, NotReady."""
    frame, (count, octets, pieces) = said.frame, said.entries
    opening, ending = frame.around(octets)
    lasts = [(last.head, last.entries()) for last in before]
    step, seen = max(1, count // _LINTED), 0
    sample: list[bytes] = []
    file.write(opening)
    for piece in pieces:
        file.write(b"".join(piece))
        sample += piece[-seen % step :: step]
        seen += len(piece)
        for head, old in lasts:
            for serial, entry, now in differences(old, piece):
                record = work.certificates.find(int(serial, 16)) if now is None else None
                verify_kept(head, serial, entry, now, record)
                if now is None:
                    require_not_revoked(standings, serial, head)
    for head, old in lasts:
        for serial, entry in old.rest():
            verify_kept(head, serial, entry, None, work.certificates.find(int(serial, 16)))
            require_not_revoked(standings, serial, head)
    file.write(ending)
    if file.size != len(opening) + octets + len(ending):
        # Its length was written before its entries; another one would be a list that nobody can read.
        raise NotReady("the records changed while the CRL was drafted; it is drafted again")
    return DraftCRL(scope, frame, file, seen, tuple(sample), work.audit.head().number, said.unexpired_at)


def lint(drafted: DraftCRL, linter: Linter) -> None:
    """Raise LintFailed. The independent linter is shown the whole list when it is short.

    Of a long one it is shown a draft with the same head and extensions and a sample of the entries: it would take
    minutes for a million, and all entries are written by one function.
    """
    frame = drafted.frame
    shortened = frame.drafted(b"".join(drafted.sample))
    # Under a signature that stands in for the real one: nothing was signed yet.
    if findings := linter.lint_crl(der.signed(shortened, SIGNATURE_OF[frame.issuer.algorithm], _STAND_IN)):
        raise LintFailed(f"CRL {frame.number} of {drafted.scope.name}: {'; '.join(findings)}")
