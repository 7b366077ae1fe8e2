from dataclasses import replace

import pytest

from tests.fakes.ushield import PulledOut, Watcher, World
from ushield import opening
from ushield.download import Step, key_id_of
from ushield.errors import (
    CertificateForOtherKey,
    ConfirmationRefused,
    KeyNotSafe,
    LastTry,
    NoCommonKey,
    NotesDirUnusable,
    OtherDevice,
    ReadBackDiffers,
    UnacceptablePassword,
    WrongPassword,
)
from ushield.keys import KeyAlgorithm, algorithm_of
from ushield.pending import Pending

REFERENCE = "0123456786"
KEY_ID = key_id_of(REFERENCE)
FACTORY, OWN = "12345678", "abc129"


def test_a_download_ends_with_an_active_certificate_beside_its_key(world: World) -> None:
    done = world.run()

    assert done.status == "active"
    assert world.bank.active
    assert [stored.id for stored in world.device.stored] == [KEY_ID]
    assert done.certificate.public_key() == world.device.private_keys[KEY_ID].public_key()
    assert world.pending() is None


@pytest.mark.parametrize("keeps_notes", [True, False], ids=["note on the U-Shield", "note in a file"])
@pytest.mark.parametrize("step", list(Step))
def test_interrupted_after_any_step_the_same_command_finishes_the_job(
    world: World, step: Step, keeps_notes: bool
) -> None:
    world.device.keeps_notes = keeps_notes
    with pytest.raises(PulledOut):
        world.run(Watcher(pull_out_after=step))

    world.run()

    assert world.device.made == 1
    assert len(world.device.stored) == 1
    assert len(set(world.bank.requests)) == 1
    assert world.bank.active
    assert world.pending() is None


@pytest.mark.parametrize("left", [100, 0], ids=["truncated", "empty"])
def test_a_certificate_that_a_power_cut_left_half_written_is_fetched_again(world: World, left: int) -> None:
    with pytest.raises(PulledOut):
        world.run(Watcher(pull_out_after=Step.STORE))
    whole = world.device.stored[0]
    world.device.stored = [replace(whole, der=whole.der[:left])]

    assert world.run().status == "active"

    assert world.device.stored == [whole]
    assert world.device.made == 1
    assert len(set(world.bank.requests)) == 1


def test_a_finished_download_run_again_changes_nothing(world: World) -> None:
    first = world.run()

    again = world.run()

    assert again.certificate == first.certificate
    assert world.device.made == 1
    assert world.customer.asked == ["password"]


def test_a_certificate_on_the_u_shield_but_not_active_is_only_confirmed(world: World) -> None:
    with pytest.raises(PulledOut):
        world.run(Watcher(pull_out_after=Step.STORE))
    sent, watching = len(world.bank.requests), Watcher()

    world.run(watching)

    assert len(world.bank.requests) == sent
    assert "code" not in world.customer.asked
    assert watching.done == [Step.LOOK, Step.OPEN, Step.CHECK, Step.CONFIRM, Step.TIDY]


def test_a_certificate_whose_profile_needs_no_confirmation_is_not_confirmed(world: World) -> None:
    world.bank.told = replace(world.bank.told, confirm=False)

    world.run()

    assert not world.bank.active


def test_the_bank_decides_which_key_the_u_shield_makes(world: World) -> None:
    world.bank.told = replace(world.bank.told, key_algorithms=("ec-p384", "rsa-2048", "ec-p256"))

    done = world.run()

    assert algorithm_of(done.certificate.public_key()) is KeyAlgorithm.RSA_2048


def test_a_u_shield_that_makes_only_weak_keys_is_refused(world: World) -> None:
    world.device.offered = frozenset()

    with pytest.raises(NoCommonKey, match="too weak"):
        world.run()
    assert world.device.made == 0


@pytest.mark.parametrize(
    "flaw",
    [
        {"local": False},
        {"extractable": True},
        {"never_extractable": False},
        {"always_sensitive": False},
        {"sensitive": False},
    ],
)
def test_no_certificate_is_asked_for_with_a_key_that_could_leave(world: World, flaw: dict[str, bool]) -> None:
    world.device.makes = flaw

    with pytest.raises(KeyNotSafe):
        world.run()
    assert world.bank.requests == []
    assert world.device.private_keys == {}


def test_codes_for_another_u_shield_leave_this_one_untouched(world: World) -> None:
    world.bank.told = replace(world.bank.told, device_serial="FFFF0000")

    with pytest.raises(OtherDevice, match="FFFF0000"):
        world.run()
    assert world.device.tried == []
    assert world.device.password == FACTORY


def test_the_serial_number_is_compared_as_people_write_it(world: World) -> None:
    world.bank.told = replace(world.bank.told, device_serial="0a1b 2c3d")

    assert world.run().status == "active"


def test_the_factory_password_is_changed_before_anything_is_written(world: World) -> None:
    world.run()

    assert world.device.password == OWN
    assert world.device.tried == [FACTORY, OWN]


@pytest.mark.parametrize("weak", [FACTORY, "111111", "abc"])
def test_a_weak_new_password_changes_nothing(world: World, weak: str) -> None:
    world.customer.new = weak

    with pytest.raises(UnacceptablePassword):
        world.run()
    assert world.device.password == FACTORY
    assert world.device.private_keys == {}


def test_a_u_shield_with_a_password_of_its_own_is_opened_with_it(world: World) -> None:
    world.device.password = "Other77"
    world.customer.present = "Other77"

    world.run()

    assert world.device.password == "Other77"
    assert world.customer.asked == ["code", "password"]


def test_a_wrong_password_is_tried_once(world: World) -> None:
    world.device.password = "Other77"

    with pytest.raises(WrongPassword):
        world.run()
    assert world.device.tried == [FACTORY, OWN]


def test_the_factory_password_is_not_tried_once_the_u_shield_counts_wrong_tries(world: World) -> None:
    world.device.password, world.device.wrong = "Other77", 2

    with pytest.raises(WrongPassword):
        world.run()
    assert world.device.tried == [OWN]


def test_the_last_try_is_the_customers_to_allow(world: World) -> None:
    world.device.password, world.device.wrong = OWN, 4

    with pytest.raises(LastTry):
        world.run()
    assert world.device.tried == []
    assert world.run(last_try=True).status == "active"


def test_typing_the_factory_password_as_ones_own_asks_for_a_better_one(world: World) -> None:
    world.device.wrong = 1
    world.customer.present = FACTORY

    world.run()

    assert world.device.password == OWN
    assert world.customer.asked == ["code", "password", "new password"]


def test_a_certificate_for_another_key_is_not_written(world: World) -> None:
    with pytest.raises(PulledOut):
        world.run(Watcher(pull_out_after=Step.FETCH))
    other = World(world.state_directory)
    other.run()
    world.bank.issued = other.bank.issued

    with pytest.raises(CertificateForOtherKey):
        world.run()
    assert world.device.stored == []


def test_a_certificate_that_reads_back_differently_is_not_confirmed(world: World) -> None:
    world.device.garbles = True

    with pytest.raises(ReadBackDiffers):
        world.run()
    assert not world.bank.active


def test_a_note_without_its_key_is_not_followed(world: World) -> None:
    with pytest.raises(PulledOut):
        world.run(Watcher(pull_out_after=Step.REQUEST))
    world.device.private_keys.clear()

    world.run()

    assert world.device.made == 2
    assert len(world.bank.requests) == 1


def test_a_note_somebody_else_wrote_is_not_believed(world: World) -> None:
    world.device.kept[REFERENCE] = (
        b'{"version":1,"reference":"0123456786","request":"AAAA","confirm":true,"profile":""}'
    )

    assert world.run().status == "active"


def test_a_directory_for_notes_that_cannot_be_used_is_named(world: World) -> None:
    world.device.keeps_notes = False
    world.state_directory.write_text("a file, where the directory should be")

    with pytest.raises(NotesDirUnusable, match=str(world.state_directory)):
        world.run()


def test_the_old_password_is_no_new_one(world: World) -> None:
    world.device.password = OWN

    with pytest.raises(UnacceptablePassword, match="the old one"):
        opening.replace_password(world.device, OWN, OWN)


def test_a_note_holds_no_secret(world: World) -> None:
    with pytest.raises(PulledOut):
        world.run(Watcher(pull_out_after=Step.REQUEST))

    note = world.device.kept[REFERENCE]

    assert OWN.encode() not in note
    assert b"7K3M" not in note
    assert Pending.decoded(note, "9999999999") is None


def test_a_status_other_than_active_is_not_success(world: World) -> None:
    world.bank.status = "revoked"

    with pytest.raises(ConfirmationRefused, match="revoked"):
        world.run()
    assert world.pending() is not None
