"""Time-stamp requests of RFC 3161, as DER. Pure: a hash in, bytes out."""

import hashlib

SHA256_OID = bytes.fromhex("0609608648016503040201")
NULL = b"\x05\x00"
TRUE = b"\x01\x01\xff"
GRANTED = {0, 1}
"""PKIStatus: granted, granted with modifications."""
INTEGER, OCTETS, SEQUENCE = 0x02, 0x04, 0x30


class TimestampError(ValueError):
    """The answer is no time stamp for what was asked, with the reason."""


def _der(tag: int, content: bytes) -> bytes:
    """Lengths below 128 only: a request is about 70 bytes."""
    return bytes([tag, len(content)]) + content


def timestamp_request(data: bytes, nonce: int) -> bytes:
    """A TimeStampReq for SHA-256 of `data`, with the authority's certificate asked for (RFC 3161, 2.4.1)."""
    imprint = _der(SEQUENCE, _der(SEQUENCE, SHA256_OID + NULL) + _der(OCTETS, hashlib.sha256(data).digest()))
    number = _der(INTEGER, nonce.to_bytes(nonce.bit_length() // 8 + 1, "big"))
    return _der(SEQUENCE, _der(INTEGER, b"\x01") + imprint + number + TRUE)


def timestamp_check(answer: bytes, data: bytes, nonce: int) -> None:
    """Raises `TimestampError` unless a TimeStampResp is granted, and speaks of this data and this request.

    Whose signature it bears is for who reads it: ``openssl ts -verify``.
    """
    status = _content(_content(answer, SEQUENCE), SEQUENCE)
    code = int.from_bytes(_content(status, INTEGER), "big")
    if code not in GRANTED:
        raise TimestampError(f"the authority refused (status {code})")
    number = _der(INTEGER, nonce.to_bytes(nonce.bit_length() // 8 + 1, "big"))
    if hashlib.sha256(data).digest() not in answer or number not in answer:
        raise TimestampError("the answer is about something else")


def _content(der: bytes, tag: int) -> bytes:
    """What the first element of `der` holds."""
    if len(der) < 2 or der[0] != tag:
        raise TimestampError("the answer is no time stamp")
    if der[1] < 0x80:
        return der[2 : 2 + der[1]]
    count = der[1] & 0x7F
    return der[2 + count : 2 + count + int.from_bytes(der[2 : 2 + count], "big")]
