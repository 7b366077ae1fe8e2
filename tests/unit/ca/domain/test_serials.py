"""Serial numbers as they are made, written and read."""

import pytest

from ca.domain.errors import InvalidRequest
from ca.domain.serials import new_serial, parse_serial, serial_text


@pytest.mark.parametrize("octet", [0x00, 0x7F, 0x80, 0xFF])
def test_every_serial_is_positive_and_has_17_octets(octet: int) -> None:
    serial = new_serial(lambda size: bytes([octet]) * size)

    assert serial > 0
    assert len(serial.to_bytes(20, "big", signed=True).lstrip(b"\0")) == 17


def test_all_128_random_bits_are_in_the_serial() -> None:
    random = bytes(range(0xF0, 0x100))

    assert new_serial(lambda size: random[:size]).to_bytes(17, "big")[1:] == random


@pytest.mark.parametrize("text", ["a1b", "A1B", "0a1b", "00000a1b", "0x0A1b", "0a:1b", " 0A 1B\n", "0X0a1b"])
def test_every_way_of_writing_a_serial_means_the_same(text: str) -> None:
    assert parse_serial(text) == 0xA1B


@pytest.mark.parametrize("text", ["", "0", "0x", "xyz", "-1", "1.5", "0x0x1", "f" * 40, "1" + "0" * 40, "１２"])
def test_what_is_no_serial_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="hexadecimal"):
        parse_serial(text)


def test_a_written_serial_reads_back() -> None:
    assert parse_serial(serial_text(0xA1B2C3)) == 0xA1B2C3
    assert serial_text(0xA1B2C3) == "a1b2c3"
