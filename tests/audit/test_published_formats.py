"""The examples that C2SP publishes of its formats, spelt by this desk byte for byte.

- c2sp.org/tlog-checkpoint: the tree head of example.com/behind-the-sofa (ours has lines after those three).
- c2sp.org/tlog-proof: leaf 73894 of example.com/fancylog, without the optional line `extra`.
- c2sp.org/signed-note: the published key and note are in test_note.py, as Go's own library has them.
"""

import base64
from datetime import UTC, datetime

from mia_site.audit.checkpoint import Head, head_parse
from mia_site.audit.proof_text import proof_text

SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
FANCY = (
    "example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n— example.com/fancylog hI2DJw==\n"
)
PATH = [
    "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=",
    "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=",
    "EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=",
    "RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=",
    "AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=",
]
NOON = datetime(2025, 5, 13, 17, tzinfo=UTC)


def test_the_published_checkpoint_is_how_a_head_begins() -> None:
    origin, size, root = SOFA.splitlines()
    head = Head(origin, int(size), base64.b64decode(root), NOON)
    assert head.text() == f"{SOFA}time 2025-05-13T17:00:00.000000Z\n"
    assert head_parse(head.text()) == head


def test_the_published_proof_is_how_ours_are_spelt() -> None:
    published = "\n".join(["c2sp.org/tlog-proof@v1", "index 73894", *PATH]) + f"\n\n{FANCY}"
    assert proof_text(73894, [base64.b64decode(line) for line in PATH], FANCY) == published
