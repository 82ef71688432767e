"""A browser's recording becomes what a phone would have sent."""

import struct

import pytest

from sandbox.opus import HEAD, SILENCE, TABLE, ogg, silence

OPEN = b"\x01\xff\xff\xff\xff\xff\xff\xff"  # the length of what is still being recorded


def element(name: str, content: bytes, *, live: bool = False) -> bytes:
    return bytes.fromhex(name) + (OPEN if live else struct.pack(">I", 0x10000000 | len(content))) + content


def a_recording(packets: list[bytes], head: bytes = HEAD) -> bytes:
    blocks = b"".join(
        element("a3", b"\x81" + struct.pack(">hB", at, 0x80) + packet) for at, packet in enumerate(packets)
    )
    track = element("1654ae6b", element("ae", element("86", b"A_OPUS") + element("63a2", head)))
    cluster = element("1f43b675", element("e7", b"\x00") + blocks, live=True)
    return element("1a45dfa3", element("4282", b"webm")) + element("18538067", track + cluster, live=True)


def pages(content: bytes) -> list[tuple[int, int, list[bytes]]]:
    """Flags, samples and packets of each page; every checksum must hold."""
    found, at = [], 0
    while at < len(content):
        flags, samples, _serial, _number, checksum, segments = struct.unpack("<BQIIIB", content[at + 5 : at + 27])
        lacing = content[at + 27 : at + 27 + segments]
        end = at + 27 + segments + sum(lacing)
        value = 0
        for byte in content[at : at + 22] + bytes(4) + content[at + 26 : end]:
            value = (value << 8 & 0xFFFFFFFF) ^ TABLE[value >> 24 ^ byte]
        assert value == checksum
        packets, start, length = [], at + 27 + segments, 0
        for lace in lacing:
            length += lace
            if lace < 255:
                packets.append(content[start : start + length])
                start, length = start + length, 0
        found.append((flags, samples, packets))
        at = end
    return found


def test_the_packets_move_as_they_are_with_their_time() -> None:
    long = b"\xfc" + bytes(600)  # 20 milliseconds
    made = pages(ogg(a_recording([SILENCE] * 60 + [long])))

    assert [flags for flags, _samples, _packets in made] == [2, 0, 0, 4]
    assert made[0][2] == [HEAD]
    assert made[1][2][0].startswith(b"OpusTags")
    assert [packet for _flags, _samples, packets in made[2:] for packet in packets] == [SILENCE] * 60 + [long]
    assert [samples for _flags, samples, _packets in made] == [0, 0, 40 * 960, 61 * 960]


@pytest.mark.parametrize(
    ("packet", "milliseconds"), [(b"\x18", 60), (b"\x60", 10), (b"\x81", 5), (b"\x8a", 10), (b"\xfb\x03", 60), (b"", 0)]
)
def test_how_long_a_packet_lasts(packet: bytes, milliseconds: float) -> None:
    assert pages(ogg(a_recording([packet])))[-1][1] == milliseconds * 48


def test_silence_lasts_as_long_as_it_should() -> None:
    assert pages(silence(3))[-1][1] == 3 * 48_000


@pytest.mark.parametrize(
    "recording", [a_recording([]), a_recording([SILENCE], head=b"vorbis"), b"\x1a\x45\xdf\xa3", b"\xa3\x80"]
)
def test_a_recording_without_opus_is_refused(recording: bytes) -> None:
    with pytest.raises(ValueError, match="no Opus"):
        ogg(recording)
