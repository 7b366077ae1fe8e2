"""Phone numbers for notices (ITU-T E.164)."""

import pytest

from ca.domain.customers import require_phone
from ca.domain.errors import InvalidRequest


@pytest.mark.parametrize("typed", ["+8613800138000", "+86 138 0013 8000", "+86-138-0013-8000", "+86\n13800138000"])
def test_a_number_is_kept_without_blanks_and_dashes(typed: str) -> None:
    assert require_phone(typed) == "+8613800138000"


WRONG = ["13800138000", "+0613800138000", "+86", "+86138001380001234", "+86138x", "", "+\uff18\uff1613800138000"]


@pytest.mark.parametrize("typed", WRONG)
def test_another_text_is_no_number(typed: str) -> None:
    with pytest.raises(InvalidRequest, match="country"):
        require_phone(typed)
