"""Makes the Ogg that Telegram's apps record, out of a browser's WebM or of silence; refuses what has no Opus. Pure.

Only the packets move, nothing is encoded anew (WebM: RFC 8794 and RFC 9559; Ogg: RFC 3533; Opus in Ogg: RFC 7845).
"""

import struct
from collections.abc import Iterator

WEBM = b"\x1a\x45\xdf\xa3"
SEGMENT, CLUSTER, TRACKS, TRACK, GROUP = 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE, 0xA0
WITHIN = {SEGMENT, CLUSTER, TRACKS, TRACK, GROUP}
PRIVATE, SIMPLE_BLOCK, BLOCK = 0x63A2, 0xA3, 0xA1
SERIAL = 1
PACKETS = 40  # on a page, which takes 255 pieces: the longest packet has six
RATE = 48  # samples a millisecond, whatever was recorded
HEAD = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
SILENCE = b"\xf8\xff\xfe"  # 20 milliseconds
TAGS = b"OpusTags" + struct.pack("<I", 7) + b"sandbox" + struct.pack("<I", 0)
FIRST, LAST = 2, 4  # flags of a page
SILK, HYBRID, CELT = (10.0, 20.0, 40.0, 60.0), (10.0, 20.0), (2.5, 5.0, 10.0, 20.0)  # lengths of a frame, milliseconds


def is_webm(content: bytes) -> bool:
    return content.startswith(WEBM)


def ogg(webm: bytes) -> bytes:
    """Raises ValueError for what holds no Opus."""
    head, packets = b"", []
    for element, data in _elements(webm):
        if element == PRIVATE:
            head = data
        elif element in {SIMPLE_BLOCK, BLOCK} and data:
            packets.append(data[_vint_length(data[0]) + 3 :])
    if not head.startswith(b"OpusHead") or not packets:
        raise ValueError("there is no Opus in this recording")
    return b"".join(_pages(head, packets))


def silence(seconds: int) -> bytes:
    """A voice note in which nobody speaks."""
    return b"".join(_pages(HEAD, [SILENCE] * (50 * seconds)))


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Every element that holds data, those within others too; a live recording leaves the lengths of those open."""
    at = 0
    while at < len(content):
        length = _vint_length(content[at])
        element = int.from_bytes(content[at : at + length], "big")
        at += length
        if at >= len(content):
            return
        length = _vint_length(content[at])
        size = int.from_bytes(content[at : at + length], "big") & ((1 << 7 * length) - 1)
        at += length
        if element not in WITHIN:
            yield element, content[at : at + size]
            at += size


def _vint_length(first: int) -> int:
    return 9 - first.bit_length()


def _pages(head: bytes, packets: list[bytes]) -> Iterator[bytes]:
    yield _page([head], 0, 0, FIRST)
    yield _page([TAGS], 0, 1)
    samples = 0.0
    for number, start in enumerate(range(0, len(packets), PACKETS), start=2):
        together = packets[start : start + PACKETS]
        samples += sum(_duration(packet) * RATE for packet in together)
        yield _page(together, int(samples), number, LAST if start + PACKETS >= len(packets) else 0)


def _duration(packet: bytes) -> float:
    """In milliseconds (RFC 6716 §3.1)."""
    if not packet:
        return 0.0
    config, code = packet[0] >> 3, packet[0] & 3
    lengths = SILK if config < 12 else HYBRID if config < 16 else CELT
    frames = (1, 2, 2)[code] if code < 3 else int.from_bytes(packet[1:2], "big") & 0x3F
    return frames * lengths[config % len(lengths)]


def _page(packets: list[bytes], samples: int, number: int, flags: int = 0) -> bytes:
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    head = b"OggS\x00" + struct.pack("<BQIII", flags, samples, SERIAL, number, 0) + bytes([len(lacing)])
    page = bytearray(head + lacing + b"".join(packets))
    page[22:26] = struct.pack("<I", _checksum(page))
    return bytes(page)


def _remainder(byte: int) -> int:
    value = byte << 24
    for _ in range(8):
        value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
    return value


TABLE = [_remainder(byte) for byte in range(256)]


def _checksum(page: bytes | bytearray) -> int:
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ TABLE[value >> 24 ^ byte]
    return value
