"""Envelopes of certified mail broken at random, and made to cost: nothing raises, and nothing is believed."""

import time
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.certified.data import read_data
from intake.certified.signature import Doubt, check
from intake.certified.trust import Trust
from intake.pec import _kind, _opened, open_envelope
from sandbox.certified import CertifiedProvider
from storage.words import Standing
from tests import pec

DOSES = {"short": 150, "full": 20_000}
HEADS = (
    b"",
    b"X-Trasporto: posta-certificata\r\n",
    b"X-Ricevuta: accettazione\r\nX-Riferimento-Message-ID: <a@b>\r\n",
    b"Content-Type: multipart/signed; boundary=\r\n",
    b'Content-Type: multipart/mixed; boundary="x"\r\n',
    b"From: <\xff@\xfe>\r\nDate: 32 Foo\r\n",
)


@pytest.fixture
def little_work() -> Iterator[None]:
    """Catches what runs away, on any machine: a bomb costs some hundredths of a second."""
    before = time.process_time()
    yield
    assert time.process_time() - before < 30


@cache
def _mails() -> tuple[bytes, ...]:
    receipts = [pec.a_receipt(kind) for kind in ("accettazione", "avvenuta-consegna", "errore-consegna")]
    return (pec.a_transport(), *receipts)


@st.composite
def _broken(draw: st.DrawFn) -> bytes:
    """A certified mail, with some of its bytes left out, changed, doubled, and headers put before it."""
    raw = bytearray(draw(st.sampled_from(_mails())))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(raw)))
        until = draw(st.integers(at, min(len(raw), at + 400)))
        piece = bytes(raw[at:until])
        raw[at:until] = draw(
            st.one_of(st.just(b""), st.just(piece * 2), st.binary(max_size=40), st.sampled_from(HEADS))
        )
    return draw(st.sampled_from(HEADS)) + bytes(raw)


def _at_random(dose: str, strategy: st.SearchStrategy[bytes], look: Callable[[bytes], None]) -> None:
    @settings(max_examples=DOSES[dose], deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def run(raw: bytes) -> None:
        look(raw)

    run()


def test_no_broken_envelope_raises(dose: str) -> None:
    trusted = pec.trust()
    _mails()  # not while something is drawn: numbers at random are made for them

    def look(raw: bytes) -> None:
        message = pec.parsed(raw)
        kind = _kind(message)
        if kind is not None:
            _opened(raw, message, kind, trusted)  # what would be caught at the edge: there is nothing to catch

    _at_random(dose, _broken(), look)


def test_no_changed_word_of_the_provider_is_believed(dose: str) -> None:
    """One byte of the signed part or of the signature at a time. A signature of ECDSA is 64 bytes that all count."""
    raw, trusted = pec.a_receipt("avvenuta-consegna"), pec.trust()
    begins, ends = raw.index(b"--dentro"), raw.index(b"--fuori\r\nContent-Type: application/x-pkcs7")

    def look(place: bytes) -> None:
        at = begins + int.from_bytes(place, "big") % (ends - begins - 2)
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        if changed.replace(b"\r\n", b"\n").replace(b"\n", b"") != raw.replace(b"\r\n", b""):
            envelope, _ = pec.opened(changed, trusted)
            assert envelope.standing is not Standing.CERTIFIED

    _at_random(dose, st.binary(min_size=3, max_size=3), look)


def test_no_signature_raises_anything_but_doubt(dose: str) -> None:
    real = pec.provider().signature(b"x")

    def look(noise: bytes) -> None:
        at = noise[0] * len(real) // 256 if noise else 0
        for one in (noise, real[:at] + noise, real[:at] + noise + real[at + len(noise) :]):
            with pytest.raises(Doubt):
                check(one, b"y", pec.provider().address, pec.trust())

    _at_random(dose, st.binary(max_size=60), look)


def test_no_data_raise(dose: str) -> None:
    real = pec.provider().data("accettazione", pec.ADA, [pec.OFFICE], about=(pec.OURS, "x"))

    def look(noise: bytes) -> None:
        at = noise[0] * len(real) // 256 if noise else 0
        read_data(noise)
        read_data(real[:at] + noise + real[at:])

    _at_random(dose, st.binary(max_size=60), look)


def _nested_cms(depth: int) -> bytes:
    """A sequence in a sequence, `depth` times."""
    inner = b"\x05\x00"
    for _ in range(depth):
        size = len(inner)
        inner = b"\x30\x83" + size.to_bytes(3, "big") + inner
    return inner


BOMBS = {
    "parts": b"--fuori\r\n\r\nx\r\n" * 200_000,
    "levels": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(20_000)),
    "dashes": b"--" * 500_000,
    "spaces": b"--fuori" + b" " * 1_000_000,
    "newlines": b"\r\n" * 500_000,
    "lines": b"\r\n--fuor" * 200_000,
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.usefixtures("little_work")
def test_bombs_of_parts_are_looked_at_and_not_believed(name: str) -> None:
    head, _, _ = pec.a_transport().partition(b"--fuori\r\n")

    envelope, _ = pec.opened(head + BOMBS[name])

    assert envelope.standing is not Standing.CERTIFIED


@pytest.mark.usefixtures("little_work")
def test_bombs_of_signatures_are_not_taken_apart() -> None:
    for bomb in (
        _nested_cms(100_000),
        b"\x30" * 400_000,
        b"\x30\x80" * 200_000,
        b"\x30\x84\xff\xff\xff\xff" + b"0" * 100,
    ):
        with pytest.raises(Doubt):
            check(bomb, b"x", "a@example.org", Trust())


@pytest.mark.usefixtures("little_work")
def test_bombs_of_data_are_not_read() -> None:
    deep = b"<postacert>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</postacert>"
    many = b"<postacert><intestazione>" + b"<destinatari>a@b</destinatari>" * 20_000 + b"</intestazione></postacert>"
    wide = b"<postacert " + b" ".join(b'a%d="1"' % n for n in range(60_000)) + b"/>"

    assert read_data(b"<postacert>" + b"x" * 2_000_000 + b"</postacert>") is None
    for one in (deep, many, wide):
        found = read_data(one)
        assert found is None or len(found.recipients) <= 1000


def test_the_edge_catches_what_nobody_thought_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("intake.pec._opened", broken)
    raw = pec.a_transport(by=CertifiedProvider("gestore.example.org", pec.NOW, pec.provider().signer))

    found = open_envelope(raw, pec.parsed(raw), pec.trust())

    assert found is not None
    assert found[0].standing is Standing.UNTRUSTED
