"""ocsp/asking.py: questions travel together and are bounded."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from ca.domain.errors import NotReady, PKIError
from ca.domain.ocsp import Question
from ocsp.asking import Asking, TooManyError
from ocsp.signer import AT_ONCE
from tests.fakes.ocsp_requests import cert_id


class SlowSigner:
    """Answers each question with its serial when `released` is set."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.batches: list[int] = []

    def answer(self, questions: Sequence[Question]) -> list[bytes | PKIError]:
        self.batches.append(len(questions))
        assert self.released.wait(20)
        return [b"%d" % question.cert_ids[0].serial for question in questions]


def question(serial: int) -> Question:
    return Question.parse([cert_id(serial)])


def test_what_waits_travels_together_and_everybody_gets_the_own_answer() -> None:
    signer = SlowSigner()

    async def scenario() -> list[bytes | PKIError]:
        asking = Asking(signer, threads=1)
        asked = [asyncio.create_task(asking.ask(question(serial))) for serial in range(20)]
        await asyncio.sleep(0.05)
        asked += [asyncio.create_task(asking.ask(question(serial))) for serial in range(20, 100)]
        await asyncio.sleep(0.05)
        signer.released.set()
        answers = await asyncio.gather(*asked)
        asking.stop()
        return answers

    assert asyncio.run(scenario()) == [b"%d" % serial for serial in range(100)]
    assert signer.batches == [20, AT_ONCE, AT_ONCE, 80 - 2 * AT_ONCE]


def test_a_burst_is_spread_over_all_threads_at_once() -> None:
    signer = SlowSigner()

    async def scenario() -> list[int]:
        asking = Asking(signer, threads=4)
        asked = [asyncio.create_task(asking.ask(question(serial))) for serial in range(10 * AT_ONCE)]
        await asyncio.sleep(0.1)
        on_their_way = list(signer.batches)
        signer.released.set()
        await asyncio.gather(*asked)
        asking.stop()
        return on_their_way

    assert asyncio.run(scenario()) == [AT_ONCE] * 4
    assert signer.batches == [AT_ONCE] * 10


def test_too_many_are_told_so_at_once() -> None:
    signer = SlowSigner()

    async def scenario() -> None:
        asking = Asking(signer, threads=1, waiting=2)
        asked = [asyncio.create_task(asking.ask(question(0)))]
        await asyncio.sleep(0.05)
        asked += [asyncio.create_task(asking.ask(question(serial))) for serial in (1, 2)]
        await asyncio.sleep(0.05)
        with pytest.raises(TooManyError):
            await asking.ask(question(3))
        signer.released.set()
        await asyncio.gather(*asked)
        asking.stop()

    asyncio.run(scenario())


def test_who_went_away_holds_up_nobody() -> None:
    signer = SlowSigner()

    async def scenario() -> bytes | PKIError:
        asking = Asking(signer, threads=1)
        gone = asyncio.create_task(asking.ask(question(1)))
        await asyncio.sleep(0.05)
        gone.cancel()
        signer.released.set()
        answer = await asking.ask(question(2))
        asking.stop()
        return answer

    assert asyncio.run(scenario()) == b"2"


def test_a_defect_on_the_way_is_an_error_for_all_of_them_and_not_a_silence() -> None:
    class Broken:
        def answer(self, questions: Sequence[Question]) -> list[bytes | PKIError]:
            raise RuntimeError("a bug")

    async def scenario() -> list[bytes | PKIError]:
        asking = Asking(Broken(), threads=1)
        answers = [await asking.ask(question(serial)) for serial in (1, 2)]
        asking.stop()
        return answers

    for answer in asyncio.run(scenario()):
        assert isinstance(answer, PKIError)
        assert not isinstance(answer, NotReady)
