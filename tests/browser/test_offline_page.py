"""The offline page in a real browser, from a file and without a network: green, red, and never of another opinion than
verify_evidence.py."""

import base64
import copy
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from mia_site.audit.actors import Actor
from mia_site.audit.bundle import OFFLINE, document_bytes
from mia_site.audit.canonical import leaf_hash
from mia_site.audit.evidence import evidence_of
from mia_site.audit.journal import Leaf
from mia_site.audit.key_facts import bootstrap_keys, key_rotate, verifier_keys
from mia_site.audit.offline import verify_evidence
from mia_site.audit.receipts import PROMISE, receipt_sign
from mia_site.audit.sealing import seal_pending
from mia_site.ops.clock import database_now
from tests.audit.ledgers import decision_sealed, ledger_grow, promise_broken
from tests.factories import DecisionFactory
from tests.servers.browser import BrowserFactory
from tests.waiting import PATIENCE

PAGE = (OFFLINE / "verify_evidence.html").as_uri()
SEED = 8032
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outside")]
Save = Callable[[Chrome, str], Path]


@pytest.fixture
def evidence() -> bytes:
    """The file about a real decision, as it is handed out."""
    return document_bytes(evidence_of(decision_sealed().pk, database_now()))


@pytest.fixture
def page(browser: Chrome) -> Chrome:
    browser.get(PAGE)
    return browser


def give(page: Chrome, folder: Path, data: bytes, *keys: str) -> str:
    """Types the keys, chooses the file; returns the colour that the page then shows."""
    path = folder / f"evidence-{len(list(folder.iterdir()))}.json"
    path.write_bytes(data)
    field = page.find_element(By.ID, "key")
    field.clear()
    field.send_keys("\n".join(keys))
    page.find_element(By.ID, "file").send_keys(str(path))
    WebDriverWait(page, PATIENCE).until(lambda page: page.find_element(By.ID, "name").text == path.name)
    WebDriverWait(page, PATIENCE).until(lambda page: page.find_element(By.ID, "result").get_attribute("class"))
    return str(page.find_element(By.ID, "result").get_attribute("class"))


def lines(page: Chrome) -> list[str]:
    return str(page.find_element(By.ID, "lines").text).splitlines()


def python_says(data: bytes, *keys: str) -> tuple[bool, list[str]]:
    """(proven, lines) by verify_evidence.py."""
    try:
        headline, told = verify_evidence.verify(verify_evidence.load(data), keys)
    except (verify_evidence.NotProven, ValueError):
        return False, []
    return True, [headline, *told]


def page_says(page: Chrome, data: bytes, *keys: str) -> tuple[bool, list[str]]:
    """(proven, lines) by the page's own functions."""
    script = "return judge(Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0)), arguments[1])"
    told = page.execute_script(script, base64.b64encode(data).decode(), list(keys))
    return told["proven"], [told["headline"], *told["lines"]] if told["proven"] else []


def test_real_evidence_is_green_with_the_lines_of_the_other_verifier(
    page: Chrome, evidence: bytes, tmp_path: Path, screenshot: Save
) -> None:
    key = verifier_keys()[0]

    assert give(page, tmp_path, evidence, key) == "good"

    assert page.find_element(By.ID, "headline").text == "Verified"
    assert [line.rstrip() for line in lines(page)] == [line.rstrip() for line in python_says(evidence, key)[1]]
    screenshot(page, "offline-green")


def test_one_byte_changed_is_red(page: Chrome, evidence: bytes, tmp_path: Path, screenshot: Save) -> None:
    key = verifier_keys()[0]
    for where in (b'"made_at"', b'\\"verdict\\"', b"\\n\\n\xe2\x80\x94", b'"proof"', b'"receipt"', b'"sha256"'):
        changed = bytearray(evidence)
        changed[evidence.rindex(where) + len(where) + 6] ^= 1
        assert give(page, tmp_path, bytes(changed), key) == "bad", where
    assert page.find_element(By.ID, "headline").text == "Not verified"
    screenshot(page, "offline-red")


def test_another_key_is_red_and_the_right_one_typed_after_it_is_green(
    page: Chrome, evidence: bytes, tmp_path: Path
) -> None:
    right, wrong = verifier_keys()[0], verifier_keys("receipts")[0]

    assert give(page, tmp_path, evidence, wrong) == "bad"
    assert "no signature by the key that you trust" in lines(page)[1]
    assert give(page, tmp_path, evidence, right[:-1] + "A") == "bad"
    assert give(page, tmp_path, evidence, right) == "good"


def test_a_broken_promise_is_proven(page: Chrome, tmp_path: Path) -> None:
    decision_sealed()
    document, lost = promise_broken()
    data = document_bytes(document)

    assert give(page, tmp_path, data, verifier_keys()[0]) == "good"

    assert page.find_element(By.ID, "headline").text == "A broken promise is proven"
    assert any(f"MISSING   entry {lost.entry_id}" in line for line in lines(page))
    assert lines(page) == python_says(data, verifier_keys()[0])[1]


def test_a_dropped_file_is_taken_too(page: Chrome, evidence: bytes) -> None:
    page.find_element(By.ID, "key").send_keys(verifier_keys()[0])
    page.execute_script(
        """
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0))], "dropped.json"));
        document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
        """,
        base64.b64encode(evidence).decode(),
    )
    WebDriverWait(page, PATIENCE).until(
        lambda page: page.find_element(By.ID, "result").get_attribute("class") == "good"
    )


def test_who_reads_french_is_told_in_french(
    browsers: BrowserFactory, evidence: bytes, tmp_path: Path, screenshot: Save
) -> None:
    french = browsers("fr")
    french.get(PAGE)

    assert french.find_element(By.TAG_NAME, "html").get_attribute("lang") == "fr"
    assert give(french, tmp_path, evidence, verifier_keys()[0]) == "good"
    assert french.find_element(By.ID, "headline").text == "Vérifié"
    screenshot(french, "offline-fr")


def test_the_page_can_speak_to_nobody(page: Chrome) -> None:
    refused = page.execute_async_script(
        "const done = arguments[0]; fetch('http://127.0.0.1:1/').then(() => done('sent'), e => done(String(e)))"
    )
    loaded = page.execute_script("return performance.getEntriesByType('resource').length")

    assert "TypeError" in refused
    assert loaded == 0
    log: list[dict[str, str]] = page.get_log("browser")  # type: ignore[no-untyped-call]
    assert any("Content Security Policy" in line["message"] for line in log)


# Both verifiers, one opinion


def spoilt_bytes(data: bytes, count: int) -> Iterator[bytes]:
    """The file with one byte changed, in `count` places that are the same in every run."""
    dice = random.Random(SEED)
    for _ in range(count):
        changed = bytearray(data)
        changed[dice.randrange(len(data))] = dice.randrange(32, 127)
        if bytes(changed) != data:
            yield bytes(changed)


def strings_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the texts and numbers of a document stand."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from strings_of(item, (*path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from strings_of(item, (*path, place))
    else:
        yield path


def spoilt_documents(data: bytes) -> Iterator[bytes]:
    """The document with one value changed, cut, emptied or of another type, and written anew without its checksum."""
    document = json.loads(data)
    del document["sha256"]
    dice = random.Random(SEED)
    for path in dice.sample(sorted(strings_of(document), key=str), 60):
        changed = copy.deepcopy(document)
        *way, last = path
        place = changed
        for step in way:
            place = place[step]
        value = place[last]
        place[last] = dice.choice([value[1:], value[:-1] + "A", ""] if isinstance(value, str) and value else [0, "x"])
        yield json.dumps(changed).encode()
        place[last] = dice.choice([None, 7, [], {}])
        yield json.dumps(changed).encode()


def test_both_verifiers_agree_on_every_spoilt_file(page: Chrome, evidence: bytes) -> None:
    key = verifier_keys()[0]
    files = [evidence, *spoilt_bytes(evidence, 60), *spoilt_documents(evidence)]

    differ = [data for data in files if python_says(data, key) != page_says(page, data, key)]

    assert differ == []
    assert len(files) > 150


def test_both_spell_out_odd_letters_and_call_no_late_promise_kept(page: Chrome) -> None:
    list(bootstrap_keys())
    decision = DecisionFactory(trade_id="T-1\n\u202e\u00a0\U000e0001é")
    seal_pending()
    key, document = verifier_keys()[0], evidence_of(decision.pk, database_now())
    leaf = Leaf(decision.pk, leaf_hash(document["entries"][0]["record"].encode()))
    document["receipt"] = receipt_sign([leaf], database_now() - 2 * PROMISE)
    data = document_bytes(document)

    proven, told = page_says(page, data, key)

    assert (proven, told) == python_says(data, key)
    assert "          trade_id: T-1<U+000A><U+202E><U+00A0><U+E0001>é" in told
    assert "NOT SHOWN TO BE KEPT" in told[-1]


def test_no_spoilt_byte_is_taken_by_either() -> None:
    data = document_bytes(evidence_of(decision_sealed().pk, database_now()))
    key = verifier_keys()[0]
    assert python_says(data, key)[0]

    assert [spoilt for spoilt in spoilt_bytes(data, 400) if python_says(spoilt, key)[0]] == []


def test_both_follow_an_endorsement(page: Chrome) -> None:
    decision = decision_sealed()
    old = verifier_keys()[0]
    key_rotate("checkpoints", actor=Actor("system", "test"), reason="yearly")
    ledger_grow(1)
    data = document_bytes(evidence_of(decision.pk, database_now()))

    for key in (old, verifier_keys()[0]):
        assert page_says(page, data, key) == python_says(data, key)
        assert python_says(data, key)[0]


@pytest.mark.parametrize(
    ("secret", "public", "message", "signature"),
    [
        (
            "1", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "2", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ],
)  # fmt: skip
def test_the_page_passes_the_vectors_of_rfc_8032(
    page: Chrome, secret: str, public: str, message: str, signature: str
) -> None:
    script = """
        const bytes = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
        const [key, message, signature] = [...arguments].map(bytes);
        const right = ed25519Verify(key, message, signature);
        signature[0] ^= 1;
        return [right, ed25519Verify(key, message, signature), hex(sha256(message)), hex(sha512(message))];
    """
    data = bytes.fromhex(message)
    told = page.execute_script(script, public, message, signature)
    assert told == [True, False, hashlib.sha256(data).hexdigest(), hashlib.sha512(data).hexdigest()]
