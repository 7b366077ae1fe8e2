"""The stock of U-Shields in the console: lists that come in, two officers for what leaves, one branch a page."""

import io

import pytest

from ca import stock_operations as stock
from ca.domain.errors import InvalidTransition, NotAllowed
from tests.fakes.console_signer import HOSTILE
from tests.fakes.console_stock import CANNED


def receive(at, text="", file=b"", **fields):
    form = {"into": "vault", "model": "U-Shield 3", "serials": text, **fields}
    if file:
        form["file"] = (io.BytesIO(file), "delivery.csv")
    return at("maker").post("/admin/stock/receive", form)


def test_a_pasted_list_is_sent_with_its_row_numbers(at, signer):
    response = receive(at, "Serial number\nUS1\n\n US2 ,box 4\n")

    assert (response.status_code, response.headers["Location"]) == (303, "/admin/stock/")
    rows = [stock.BatchRowMessage(row=2, serial="US1"), stock.BatchRowMessage(row=4, serial="US2")]
    assert signer.commands() == [
        stock.ReceiveBatch(session="token-of-maker", model="U-Shield 3", into="vault", rows=rows)
    ]


def test_a_csv_file_is_read_with_the_mark_that_spreadsheet_programs_write(at, signer):
    assert receive(at, file='\ufeffserial;\nUS1\n"US2","x"\n'.encode()).status_code == 303
    assert [one.serial for one in signer.commands()[0].rows] == ["serial;", "US1", "US2"]


@pytest.mark.parametrize(
    ("text", "file", "told"),
    [
        ("", b"", "paste the serial numbers"),
        ("US1", b"US2", "paste the serial numbers"),
        ("", b"\xff\xfe\x00", "cannot be read as CSV"),
        ("\n".join(f"US{number}" for number in range(201)), b"", "at most 200"),
    ],
)
def test_what_is_no_list_is_not_sent(at, signer, text, file, told):
    response = receive(at, text, file)

    assert (response.status_code, signer.commands()) == (422, [])
    assert told in response.get_data(as_text=True).lower().replace("csv", "CSV")


def test_every_row_that_does_not_stand_is_named(at, signer, monkeypatch):
    problems = [{"row": 3, "serial": HOSTILE, "problem": "registered already"}]
    monkeypatch.setitem(CANNED, stock.ReceiveBatch, {"received": 0, "problems": problems})

    response = receive(at, "US1\nUS2\nUS3")

    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert "1 rows do not stand" in page
    assert ("registered already" in page, "US1\nUS2\nUS3" in page.replace("\r", ""), HOSTILE in page) == (
        True,
        True,
        False,
    )


def test_u_shields_are_sent_and_the_receiver_confirms(at, signer):
    sent = at("maker").post(
        "/admin/stock/send", {"serials": "US1, US2\nUS3", "to_branch": "Xuhui", "reason": "new counter"}
    )
    confirmed = at("supervisor").post("/admin/stock/consignments/consignment-1/confirm")

    assert sent.headers["Location"] == confirmed.headers["Location"] == "/admin/stock/consignments/consignment-1"
    assert signer.commands() == [
        stock.SendDevices(
            session="token-of-maker", serials=["US1", "US2", "US3"], to_branch="Xuhui", reason="new counter"
        ),
        stock.ConfirmConsignment(session="token-of-supervisor", consignment="consignment-1"),
    ]


def test_what_destruction_means_stands_on_its_page_before_it_happens(at, signer):
    page = at("maker").text("/admin/stock/destroy")
    response = at("maker").post("/admin/stock/destroy", {"serials": "US1", "reason": "broken"})

    assert "never used again" in page
    assert response.headers["Location"] == "/admin/stock/consignments/consignment-2"
    assert "it cannot be undone" in at("supervisor").text("/admin/stock/consignments/consignment-2")
    assert signer.commands()[0].path == "stock/destroy"


def test_who_sent_it_is_not_offered_to_confirm_it(at):
    sender, receiver = (at(name).text("/admin/stock/consignments/consignment-1") for name in ("maker", "supervisor"))

    assert ("Confirm that all arrived" in sender, "You sent it" in sender, "Take it back" in sender) == (
        False,
        True,
        True,
    )
    assert ("Confirm that all arrived" in receiver, "Refuse it" in receiver) == (True, True)


def test_a_consignment_is_refused_with_a_reason_only(at, signer):
    path = "/admin/stock/consignments/consignment-1/refuse"
    assert (at("supervisor").post(path, {"reason": " "}).status_code, signer.commands()) == (422, [])
    assert at("supervisor").post(path, {"reason": "one is missing"}).status_code == 303
    assert signer.commands()[0].reason == "one is missing"


@pytest.mark.parametrize(
    ("path", "page"),
    [("stock/confirm", "consignments/consignment-1"), ("stock/confirm-balance", "balances/balance-1")],
)
def test_what_the_signer_refuses_is_said_on_the_page(at, signer, path, page):
    signer.refuse[path] = NotAllowed("another officer must")
    response = at("supervisor").post(f"/admin/stock/{page}/confirm")
    assert response.status_code == 403
    assert "Another officer must." in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("path", "form", "operation"),
    [
        ("send", {"serials": "US1", "to_branch": "Xuhui", "reason": "x"}, "stock/send"),
        ("count", dict.fromkeys(("vault", "branch", "officer", "returned"), "0"), "stock/count"),
        ("receive", {"into": "vault", "model": "M", "serials": "US1"}, "stock/receive"),
        ("u-shields/US-1/return", {"reason": "x"}, "stock/return"),
    ],
)
def test_a_form_that_the_signer_refuses_says_why(at, signer, path, form, operation):
    signer.refuse[operation] = InvalidTransition("this was changed")
    response = at("maker").post(f"/admin/stock/{path}", form)
    assert response.status_code == 409
    assert "This was changed." in response.get_data(as_text=True)


@pytest.mark.parametrize("path", ["send", "count", "destroy", "receive", "u-shields/US-1/return"])
def test_an_empty_form_is_not_sent(at, signer, path):
    assert at("maker").post(f"/admin/stock/{path}").status_code == 422
    assert signer.commands() == []


def test_the_count_is_sent_blind_and_shown_beside_what_is_expected(at, signer):
    form = at("maker").text("/admin/stock/count")
    response = at("maker").post("/admin/stock/count", {"vault": "1", "branch": "1", "officer": "0", "returned": "0"})
    page = at("supervisor").text("/admin/stock/balances/balance-1")

    assert "Expected" not in form
    assert response.headers["Location"] == "/admin/stock/balances/balance-1"
    assert signer.commands() == [stock.CountStock(session="token-of-maker", vault=1, branch=1, officer=0, returned=0)]
    assert ("-1" in page, "Confirm this balance" in page) == (True, True)
    assert "another person, must confirm it" in at("maker").text("/admin/stock/balances/balance-1")


@pytest.mark.parametrize("number", ["-1", "x", "1000001"])
def test_a_count_is_a_number_of_things(at, signer, number):
    form = {"vault": number, "branch": "1", "officer": "0", "returned": "0"}
    assert (at("maker").post("/admin/stock/count", form).status_code, signer.commands()) == (422, [])


def test_the_stock_of_the_branch_and_what_waits(at):
    page = at("supervisor").text("/admin/stock/")

    for told in ("U-Shields of Pudong", "4 alarms are open.", "Transfer", "Destruction", "Evening balance"):
        assert told in page
    assert "Minhang" not in page


def test_an_overseer_names_the_branch_and_an_officer_does_not(at):
    assert "U-Shields of Xuhui" in at("auditor").text("/admin/stock/?branch=Xuhui")
    assert "Minhang" in at("auditor").text("/admin/stock/?branch=Xuhui")
    assert "U-Shields of Pudong" in at("maker").text("/admin/stock/?branch=Xuhui")
    assert at("auditor").get("/admin/stock/?branch=%00").status_code == 200


@pytest.mark.parametrize("path", ["consignments/consignment-3", "consignments/none", "balances/none"])
def test_another_branchs_papers_are_not_found(at, path):
    assert at("maker").get(f"/admin/stock/{path}").status_code == 404


def test_another_branchs_balance_is_not_found(at):
    assert at("elsewhere").get("/admin/stock/balances/balance-1").status_code == 404


def test_alarms_say_what_to_do_and_are_settled_by_a_supervisor_of_the_branch(at, signer):
    page = at("supervisor").text("/admin/stock/alarms")

    assert ("Compare the engraving" in page, "Settle this alarm" in page) == (True, True)
    assert ("Xuhui only" in page, HOSTILE in page) == (False, False)
    assert "Settle this alarm" not in at("maker").text("/admin/stock/alarms")
    assert "Settle this alarm" not in at("auditor").text("/admin/stock/alarms?branch=Pudong")
    assert at("supervisor").post("/admin/stock/alarms/alarm-1", {"finding": ""}).status_code == 422
    assert at("supervisor").post("/admin/stock/alarms/alarm-1", {"finding": "typed wrong"}).status_code == 303
    assert signer.commands() == [
        stock.SettleAlarm(session="token-of-supervisor", alarm="alarm-1", finding="typed wrong")
    ]


def test_a_key_that_was_not_born_on_its_u_shield_stands_in_the_stock_and_on_the_work_list(at):
    alarms = at("supervisor").text("/admin/stock/alarms")
    assert ("key not born on the U-Shield" in alarms, "hand out another" in alarms) == (True, True)
    assert "no attestation by its maker" in alarms
    work = at("supervisor").text("/admin/")
    assert ("Alarms of the stock" in work, "key not born on the U-Shield" in work) == (True, True)
    assert "Alarms of the stock" not in at("maker").text("/admin/")


def test_only_u_shields_of_ones_own_branch_are_links(at):
    link = "/admin/u-shields/details/?id=US-2026-000201"
    assert link in at("supervisor").text("/admin/stock/alarms")
    assert link in at("auditor").text("/admin/stock/alarms?branch=Pudong")
    elsewhere = at("elsewhere").text("/admin/stock/consignments/consignment-3")
    assert ("US-2026-000299" in elsewhere, "id=US-2026-000299" in elsewhere) == (True, False)  # at nobody's any more


def test_settled_alarms_keep_their_finding(at):
    page = at("auditor").text("/admin/stock/alarms?branch=Pudong&state=settled")
    assert ("known" in page, "Compare the engraving" in page) == (True, False)


def test_what_still_has_the_factory_password_is_listed_by_where_it_is(at):
    handed_out = at("maker").text("/admin/stock/factory-passwords")
    in_stock = at("maker").text("/admin/stock/factory-passwords?state=in-stock")

    assert ("US-2026-000205" in handed_out, "US-2026-000123" in handed_out) == (True, False)  # in use: it was changed
    assert ("US-2026-000201" in in_stock, "US-2026-000205" in in_stock) == (True, False)
    after = at("maker").text("/admin/stock/factory-passwords?state=in-stock&after=US-2026-000203")
    assert ("id=US-2026-000203" in after, "id=US-2026-000204" in after) == (False, True)
    assert "None: every U-Shield" in at("elsewhere").text("/admin/stock/factory-passwords")


def test_a_u_shields_page_has_its_ledger_and_what_can_be_done_with_it(at, signer):
    page = at("maker").text("/admin/u-shields/details/?id=US-2026-000123")
    assert ("with the customer" in page, "Take it back from the customer" in page) == (True, True)
    assert "Take it out of the stock" in at("maker").text("/admin/u-shields/details/?id=US-2026-000202")
    assert HOSTILE not in at("maker").text("/admin/u-shields/details/?id=US-2026-000202")
    assert "Put it back" in at("maker").text("/admin/u-shields/details/?id=US-2026-000204")
    assert "consignment-1" in at("maker").text("/admin/u-shields/details/?id=US-2026-000203")

    for act in ("take", "put-back"):
        response = at("maker").post(f"/admin/stock/u-shields/US-1/{act}")
        assert response.headers["Location"] == "/admin/u-shields/details/?id=US-1"
    assert at("maker").post("/admin/stock/u-shields/US-1/return", {"reason": "broken"}).status_code == 303
    assert [one.path for one in signer.commands()] == ["stock/take", "stock/put-back", "stock/return"]


def test_unlock_cases_are_a_list_that_leads_to_each_case(at):
    assert "1000000000" in at("supervisor").text("/admin/unlock-cases/?state=proposed")
    assert "1000000000" in at("hotline").text("/admin/unlock-cases/")
    assert "1000000000" not in at("elsewhere").text("/admin/unlock-cases/")
    details = at("supervisor").text("/admin/unlock-cases/details/?id=1000000000")
    assert ("/admin/unlocks/1000000000" in details, "code_mac" in details) == (True, False)
