"""Unlocking and preparing a U-Shield in the console: one message each, one half of the code on each page."""

import json

import pytest

from ca import unlock_operations as unlock_ops
from tests.fakes.console_signer import b64

ASSERTION = json.dumps(
    {
        "credential_id": b64(b"id"), "client_data": b64(b"{}"),
        "authenticator_data": b64(b"data"), "signature": b64(b"signature"),
    }
)  # fmt: skip


def test_a_u_shield_is_unlocked_by_two_who_see_one_half_each(at, signer):
    opened = at("maker").post("/admin/u-shields/US-1/unlock", {"reason": " ID card seen "})
    approved = at("supervisor").post(
        "/admin/unlocks/1000000005/approve", {"digest": b64(b"d" * 32), "assertion": ASSERTION}
    )

    assert signer.commands()[0] == unlock_ops.OpenUnlock(
        session="token-of-maker", device_serial="US-1", reason="ID card seen"
    )
    assert (signer.commands()[1].path, signer.commands()[1].digest) == ("unlocks/approve", b"d" * 32)
    first, second = opened.get_data(as_text=True), approved.get_data(as_text=True)
    assert ("7K3M9K" in first, "WX2FHE" in first) == (True, False)
    assert ("7K3M9K" in second, "WX2FHE" in second) == (False, True)


def test_an_unlock_without_a_word_on_who_asked_is_not_opened(at, signer):
    response = at("maker").post("/admin/u-shields/US-1/unlock", {"reason": " "})
    assert (response.status_code, signer.commands()) == (422, [])


def test_an_unlock_is_rejected_with_a_reason(at, signer):
    assert at("supervisor").post("/admin/unlocks/1000000005/reject", {"reason": ""}).status_code == 422
    assert at("supervisor").post("/admin/unlocks/1000000005/reject", {"reason": "not them"}).status_code == 303
    assert signer.commands()[-1].path == "unlocks/reject"


@pytest.mark.parametrize("line", ["", "no key", "US-1:not base64"])
def test_what_the_tool_did_not_print_prepares_nothing(at, signer, line):
    response = at("supervisor").post("/admin/u-shields/US-1/prepare", {"question": line})
    assert (response.status_code, signer.commands()) == (422, [])


def test_the_answer_for_the_tool_is_on_the_page(at, signer):
    page = at("supervisor").post("/admin/u-shields/US-1/prepare", {"question": f"TOKEN-1:{b64(b'k' * 32)}"})
    (asked,) = signer.commands()
    assert (asked.serial, asked.token_serial, asked.public_key) == ("US-1", "TOKEN-1", b"k" * 32)
    assert "answer-for-TOKEN-1" in page.get_data(as_text=True)
