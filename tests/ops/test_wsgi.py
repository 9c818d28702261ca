"""What a web process has done before its first request."""

import json
import subprocess
import sys
from pathlib import Path

from tests.environment import ROOT, child_environment

FIRST_ASK = """
import json, sys
from mia_site.wsgi import application
from django.test import Client
known = set(sys.modules)
answer = Client(SERVER_NAME="127.0.0.1").post("/api/v1/decisions/", "{}", content_type="application/json")
print(json.dumps([answer.status_code, sorted(set(sys.modules) - known)]))
"""


def test_the_first_ask_of_a_process_finds_the_site_imported(tmp_path: Path) -> None:
    environment = child_environment(MIA_DATA_DIR=str(tmp_path))
    child = subprocess.run(
        [sys.executable, "-c", FIRST_ASK], cwd=ROOT, env=dict(environment), check=True, stdout=subprocess.PIPE
    )
    status, imported = json.loads(child.stdout.splitlines()[-1])
    assert status == 401
    assert [name for name in imported if name.partition(".")[0] in {"mia_site", "risk", "decisions"}] == []
