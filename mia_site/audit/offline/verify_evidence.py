#!/usr/bin/env python3
"""Checks evidence of MIA Risk Desk offline: python3 verify_evidence.py FILE --key VKEY

Needs nothing but this file, Python 3.9 or later, the evidence, and the ledger's verifier key, which must come from
somebody you trust, not from the evidence. Exit status: 0 what the evidence claims is proven, 1 it is not, 2 usage.

What is checked: the record's leaf hash (RFC 6962), its place in the Merkle tree by an inclusion proof (RFC 9162,
2.1.3.2), the signed checkpoint over that tree (C2SP signed note, Ed25519 by RFC 8032), the same for the limits and
keys that the record refers to, the signed receipt, and disclosed values against the commitment in the record.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, Tuple

EVIDENCE = "mia-risk-desk/evidence@v1"
BROKEN_PROMISE = "mia-risk-desk/broken-promise@v1"
LARGEST = 512 * 1024 * 1024
KNOWN = {
    EVIDENCE: {"format", "made_at", "origin", "checkpoint", "entries", "keys", "sealed", "receipt", "disclosed"},
    BROKEN_PROMISE: {
        "format", "made_at", "origin", "receipt", "before", "after", "peaks", "leaves", "entries", "keys",
    },
}  # fmt: skip
ROLES = {"record": None, "limits": "limits_id", "features": "feature_set_id", "signing key": None, "restore": None}
"""What an entry may be shown as, and the field of the record that names it."""
PACKING = "little-endian float64, NaN = missing"
CHECKSUM = "sha256"
CHECKSUM_MARK = b',\n "sha256": "'

Point = Tuple[int, int, int, int]
Document = Dict[str, Any]
Records = Sequence[Tuple[Document, Document]]


class NotProven(Exception):
    """The evidence does not show what it claims; the message says what is wrong."""


# Ed25519 verification (RFC 8032, 5.1). Only public values are handled, so nothing here needs constant time.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def _recover_x(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_M1 % P
    if (x * x - x2) % P:
        return None
    return P - x if x & 1 != sign else x


def _decompress(data: bytes) -> Point | None:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = _recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def _add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Point) -> Point:
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point, scalar = _add(point, point), scalar >> 1
    return total


def _same(p: Point, q: Point) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = _recover_x(BASE_Y, 0) or 0
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) over `message` is by `public_key` (32 bytes)."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    a, r = _decompress(public_key), _decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % L
    return _same(_times(s, BASE), _add(r, _times(k, a)))


# Signed notes and checkpoints (https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint).


def _decode(text: str, what: str) -> bytes:
    """Base64 in its one spelling: bits that decoding drops must be zero."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise NotProven(f"{what} is not base64") from None
    if base64.b64encode(raw).decode() != text:
        raise NotProven(f"{what} is not base64 as it is written")
    return raw


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise NotProven(f"the evidence is damaged ({what}: expected text)")
    return value


def parse_vkey(vkey: str) -> tuple[str, bytes, bytes]:
    """(name, key id, public key) of a verifier key."""
    name, _, rest = vkey.strip().partition("+")
    identifier, _, encoded = rest.partition("+")
    raw = _decode(encoded, "the verifier key")
    if raw[:1] != b"\x01" or len(raw) != 33 or not name:
        raise NotProven("the verifier key is no Ed25519 key of the form name+id+base64")
    wanted = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if wanted.hex() != identifier:
        raise NotProven("the verifier key's id does not match its name and key")
    return name, wanted, raw[1:]


def open_note(note: str, vkeys: Iterable[str]) -> str:
    """The text of `note` if one of `vkeys` signed it."""
    text, separator, signatures = note.rpartition("\n\n")
    if not separator:
        raise NotProven("a signed note has no signatures")
    text += "\n"
    for vkey in vkeys:
        name, wanted, public_key = parse_vkey(vkey)
        for line in signatures.split("\n"):
            dash, _, rest = line.partition(" ")
            signer, _, encoded = rest.partition(" ")
            if dash != "\u2014" or signer != name:
                continue
            raw = _decode(encoded, "a signature")
            if raw[:4] != wanted:
                continue
            if not ed25519_verify(public_key, text.encode(), raw[4:]):
                raise NotProven(f"the signature of {name} does not match what was signed")
            return text
    raise NotProven("no signature by the key that you trust")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))  # noqa: FURB162 - Python 3.9 knows no Z


def open_checkpoint(note: str, vkeys: Iterable[str]) -> Document:
    """Origin, size, root, time and declared gaps of a signed checkpoint."""
    lines = open_note(note, vkeys).split("\n")[:-1]
    if len(lines) < 4 or not lines[1].isdigit() or not lines[3].startswith("time "):
        raise NotProven("the checkpoint has another form than expected")
    root = _decode(lines[2], "the checkpoint's root")
    if len(root) != 32:
        raise NotProven("the checkpoint's root is not a SHA-256 hash")
    return {"origin": lines[0], "size": int(lines[1]), "root": root, "at": _moment(lines[3][5:]), "gaps": lines[4:]}


# The Merkle tree (RFC 6962, RFC 9162).


def leaf_hash(record: bytes) -> bytes:
    """Of a record's exact bytes."""
    return hashlib.sha256(b"\x00" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that the proof leads to."""
    if not 0 <= index < size:
        raise NotProven(f"leaf {index} is not in a tree of {size} leaves")
    place, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise NotProven("an inclusion proof is too long")
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise NotProven("an inclusion proof is too short")
    return root


def root_of(peaks: Sequence[bytes], start: int, leaves: Sequence[bytes]) -> bytes:
    """The root of the tree whose first `start` leaves have the perfect subtrees `peaks`, with `leaves` after them."""
    stack: list[tuple[int, bytes]] = []
    rest = start
    for peak in peaks:
        if not rest:
            raise NotProven("there are more subtrees than the tree has")
        width = 1 << (rest.bit_length() - 1)
        stack.append((width, peak))
        rest -= width
    if rest:
        raise NotProven("there are fewer subtrees than the tree has")
    for leaf in leaves:
        width, value = 1, leaf
        while stack and stack[-1][0] == width:
            value, width = node_hash(stack.pop()[1], value), width * 2
        stack.append((width, value))
    if not stack:
        return hashlib.sha256(b"").digest()
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    return root


# Evidence.


def trusted_keys(document: Document, keys: Sequence[str]) -> list[str]:
    """The keys given, and every successor that one of them endorsed, one after another."""
    trusted = list(keys)
    for vkey in trusted:
        parse_vkey(vkey)
    offered = [item for item in document.get("keys", []) if _text(item["endorsement"], "an endorsement")]
    found = True
    while found:
        found = False
        for item in offered:
            if item["vkey"] in trusted:
                continue
            for vkey in list(trusted):
                name = parse_vkey(vkey)[0]
                text = f"{name}\nendorses its successor\n{item['vkey']}\n"
                try:
                    found = open_note(item["endorsement"], [vkey]) == text
                except NotProven:
                    continue
                if found:
                    trusted.append(item["vkey"])
                    break
    return trusted


def check_entry(item: Document, checkpoint: Document) -> Document:
    """The record of one entry, if it is in the tree of the checkpoint."""
    record = item["record"].encode()
    proof = [_decode(value, "a proof") for value in item["proof"]]
    role = _text(item["role"], "a role")
    if role not in ROLES or item["named_by"] != ROLES[role]:
        raise NotProven("an entry is shown as what it cannot be")
    if root_from_inclusion(leaf_hash(record), item["index"], checkpoint["size"], proof) != checkpoint["root"]:
        raise NotProven(f"the {role} is not in the ledger as it is shown here")
    found: Document = json.loads(record)
    return found


def check_evidence(document: Document, keys: Sequence[str]) -> list[str]:
    """Lines that say what is proven. Raises NotProven."""
    trusted = trusted_keys(document, keys)
    checkpoint = open_checkpoint(document["checkpoint"], trusted)
    records = [(item, check_entry(item, checkpoint)) for item in document["entries"]]
    subjects = [(item, record) for item, record in records if item["role"] == "record"]
    if len(subjects) != 1:
        raise NotProven("the evidence is about one record, and holds another number of them")
    item, subject = subjects[0]
    lines = list(describe(subject, item, checkpoint))
    lines += check_related(subject, records)
    lines += check_disclosed(subject, records, document.get("disclosed"))
    sealed = check_sealed(item, document.get("sealed"), [*trusted, *declared_keys(records, "checkpoints")])
    if sealed is not None:
        lines.append(f"sealed    by {sealed['at']}, in the tree of {sealed['size']} leaves")
    lines += check_receipt(item, records, document.get("receipt"), (sealed or checkpoint)["at"])
    return lines


def describe(record: Document, item: Document, checkpoint: Document) -> Iterator[str]:
    """What the record says, and where it stands."""
    fact = record.get("fact") or {}
    yield f"record    {record['kind']} {record['object']} of {record['at']}, by {record['actor']}"
    for name in ("account", "trade_id", "verdict", "effect", "reason_code", "limits_version"):
        if fact.get(name) not in (None, "") or record.get(name):
            yield f"          {name}: {fact.get(name) or record.get(name)}"
    yield f"ledger    leaf {item['index']} of {checkpoint['size']} in {checkpoint['origin']}, as of {checkpoint['at']}"
    for gap in checkpoint["gaps"]:
        yield f"gap       declared in the checkpoint: {gap}"


def check_related(subject: Document, records: Records) -> Iterator[str]:
    """Limits, feature set and the like are those that the record itself names."""
    fact = subject.get("fact") or {}
    for item, record in records:
        field = item.get("named_by")
        if field is None:
            continue
        if fact.get(field) != record["id"]:
            raise NotProven(f"the {item['role']} shown is not the one that the record names")
        yield f"{item['role']:<10}{record['object']}, leaf {item['index']}"


def check_disclosed(subject: Document, records: Records, disclosed: Document | None) -> Iterator[str]:
    """Values beside the record are those that it commits to, under the names of the feature set that it names."""
    if disclosed is None:
        return
    commitment = (subject.get("fact") or {}).get(disclosed["field"])
    data = _decode(disclosed["salt"], "a salt") + _decode(disclosed["data"], "disclosed data")
    if hashlib.sha256(data).hexdigest() != commitment:
        raise NotProven("the disclosed values are not those that the record commits to")
    told = (disclosed["packing"], disclosed["set"], disclosed["names"])
    facts = [record["fact"] for item, record in records if item["role"] == "features"]
    if [told] != [(PACKING, fact["version"], fact["names"]) for fact in facts]:
        raise NotProven("the disclosed values have other names than in the feature set of the record")
    yield f"disclosed values match {disclosed['field']} of the record"


def check_sealed(item: Document, sealed: Document | None, trusted: Sequence[str]) -> Document | None:
    """The first checkpoint that holds the record: it was sealed by then."""
    if sealed is None:
        return None
    checkpoint = open_checkpoint(sealed["checkpoint"], trusted)
    check_entry({**item, "proof": sealed["proof"]}, checkpoint)
    return checkpoint


def declared_keys(records: Records, purpose: str) -> list[str]:
    """Keys for receipts, or for earlier checkpoints, that the ledger itself declares."""
    facts = [record["fact"] for _, record in records if record["kind"] == "signing_key"]
    return [fact["vkey"] for fact in facts if fact["purpose"] == purpose]


def parse_receipt(note: str, keys: Sequence[str]) -> tuple[datetime, datetime, dict[str, bytes]]:
    """(issued, include-by, {entry id: leaf hash}) of a signed promise."""
    lines = open_note(note, keys).split("\n")[:-1]
    try:
        issued = _moment(lines[1].split(" ", 1)[1])
        until = _moment(lines[2].split(" ", 1)[1])
        leaves = dict(line.split(" ", 1) for line in lines[4:])
    except (IndexError, ValueError):
        raise NotProven("the receipt has another form than expected") from None
    return issued, until, {entry: _decode(value, "a receipt's leaf") for entry, value in leaves.items()}


def check_receipt(item: Document, records: Records, receipt: str | None, sealed: datetime) -> Iterator[str]:
    """The promise was for this record, by a key that the ledger declares; kept if it was `sealed` in time."""
    if receipt is None:
        return
    issued, until, leaves = parse_receipt(receipt, declared_keys(records, "receipts"))
    record = json.loads(item["record"])
    if leaves.get(record["id"]) != leaf_hash(item["record"].encode()):
        raise NotProven("the receipt is for another record")
    kept = "kept" if sealed <= until else f"NOT SHOWN TO BE KEPT, it is in the ledger by {sealed}"
    yield f"receipt   of {issued}, promised by {until}: {kept}"


def check_broken_promise(document: Document, keys: Sequence[str]) -> Iterator[str]:
    """Lines that say which promise was broken. Raises NotProven where it was not."""
    trusted = trusted_keys(document, keys)
    after = open_checkpoint(document["after"], trusted)
    records = [(item, check_entry(item, after)) for item in document["entries"]]
    earlier = [*trusted, *declared_keys(records, "checkpoints")]
    before = open_checkpoint(document["before"], earlier) if document["before"] is not None else None
    issued, until, promised = parse_receipt(document["receipt"], declared_keys(records, "receipts"))
    start = before["size"] if before else 0
    peaks = [_decode(value, "a subtree") for value in document["peaks"]]
    leaves = [_decode(value, "a leaf") for value in document["leaves"]]
    if before and root_of(peaks, start, []) != before["root"]:
        raise NotProven("the subtrees do not lead to the earlier checkpoint")
    if start + len(leaves) != after["size"] or root_of(peaks, start, leaves) != after["root"]:
        raise NotProven("the leaves do not lead to the later checkpoint")
    if (before and before["at"] > issued) or after["at"] <= until:
        raise NotProven("the checkpoints do not span the time of the promise")
    present = set(leaves)
    missing = sorted(entry for entry, leaf in promised.items() if leaf not in present)
    if not missing:
        raise NotProven("the promise was kept: every leaf of the receipt is in the ledger")
    yield f"receipt   of {issued}: {len(promised)} entries, to be in the ledger by {until}"
    for entry in missing:
        yield f"MISSING   entry {entry} is not among leaves {start} to {after['size']} at {after['at']}"
    for gap in after["gaps"]:
        yield f"gap       declared in the checkpoint: {gap}"


def printable(line: str) -> str:
    """What could pass for another line, or for none, is spelled out: a record may hold any text."""
    return "".join(letter if letter.isprintable() else f"<U+{ord(letter):04X}>" for letter in line)


def verify(document: Any, keys: Sequence[str]) -> tuple[str, list[str]]:
    """(headline, lines) of what is proven. Raises NotProven."""
    form = document.get("format") if isinstance(document, dict) else None
    try:
        unknown = sorted(set(document) - KNOWN[form] - {CHECKSUM}) if form in KNOWN else []
        if unknown:
            raise NotProven(f"the evidence holds what is not known here: {unknown[0]!r}")
        if form == EVIDENCE:
            return "VERIFIED", [printable(line) for line in check_evidence(document, keys)]
        if form == BROKEN_PROMISE:
            return "BROKEN PROMISE PROVEN", [printable(line) for line in check_broken_promise(document, keys)]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotProven(f"the evidence is damaged ({type(error).__name__}: {error})") from error
    raise NotProven(f"this is no evidence of a form that is known here ({form!r})")


def load(data: bytes) -> Any:
    """The document in a file. Where it carries a checksum, the file is byte for byte as it was written."""
    document = json.loads(data)
    if isinstance(document, dict) and CHECKSUM in document:
        body, _, tail = data.rpartition(CHECKSUM_MARK)
        if tail != hashlib.sha256(body).hexdigest().encode() + b'"\n}\n':
            raise NotProven("the file is not as it was written: at least one byte differs")
    return document


def read(name: str) -> bytes:
    """The file, unless it is far larger than evidence gets."""
    with Path(name).open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise NotProven("the file is too large to be evidence")
    return data


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Checks evidence of MIA Risk Desk offline.")
    parser.add_argument("file", help="the evidence, JSON")
    parser.add_argument("--key", action="append", required=True, help="verifier key that you trust (name+id+base64)")
    options = parser.parse_args(arguments)
    try:
        headline, lines = verify(load(read(options.file)), options.key)
    except (NotProven, OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        sys.stdout.write(f"NOT VERIFIED: {error}\n")
        return 1
    sys.stdout.write("\n".join([headline, *lines]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
