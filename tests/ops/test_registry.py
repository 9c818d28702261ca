from collections.abc import Iterator

import pytest

from mia_site.ops import registry

NAMES = [
    "t-good",
    "t-bad",
    "t-raises",
    "t-first",
    "t-second",
    "t_gauge",
    "t_broken_gauge",
    "t-child",
    "t-demo-child",
]


@pytest.fixture(autouse=True)
def clean_registry() -> Iterator[None]:
    yield
    for name in NAMES:
        registry.unregister(name)


def _raise() -> str:
    raise OSError("disk is gone")


def test_health_runs_every_check_and_an_exception_is_trouble() -> None:
    registry.health_register("t-good", lambda: "")
    registry.health_register("t-bad", lambda: "worker silent for 90 s")
    registry.health_register("t-raises", _raise, essential=True)
    found = {health.name: health for health in registry.health_run()}
    assert found["t-good"].ok and found["t-good"].detail == ""
    assert not found["t-bad"].ok and found["t-bad"].detail == "worker silent for 90 s"
    assert not found["t-raises"].ok and found["t-raises"].detail == "OSError: disk is gone"
    assert found["t-raises"].essential and not found["t-bad"].essential


def test_a_name_is_taken_once() -> None:
    registry.health_register("t-good", str)
    registry.health_register("t-good", str)
    with pytest.raises(ValueError, match="registered already"):
        registry.health_register("t-good", _raise)


def test_steps_run_in_their_order_and_give_lines_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_demo", registry._Shelf("demo step"))  # without the desk's own
    registry.demo_register(9_002, "t-second", lambda: ["account ES-DEMO", "one week"])
    registry.demo_register(9_001, "t-first", lambda: iter(["users"]))
    lines = list(registry.demo_run())
    assert lines == [("t-first", "users"), ("t-second", "account ES-DEMO"), ("t-second", "one week")]


def test_readiness_that_cannot_tell_is_not_ready() -> None:
    def broken(account: str) -> list[registry.Readiness]:
        raise LookupError(f"no account {account}")

    registry.readiness_register(9_001, "t-bad", broken)
    [line] = [line for line in registry.readiness_run("ES-X") if line.name == "t-bad"]
    assert not line.ok and line.detail == "LookupError: no account ES-X"


def test_a_broken_gauge_does_not_hide_the_others() -> None:
    def broken() -> dict[tuple[str, ...], float]:
        raise RuntimeError("no")

    registry.gauge_register("t_broken_gauge", "broken", broken)
    registry.gauge_register("t_gauge", "pending rows", lambda: {("log",): 3.0}, labels=("channel",))
    found = {gauge.name: gauge for gauge in registry.gauges_run()}
    assert "t_broken_gauge" not in found
    assert found["t_gauge"].samples == {("log",): 3.0} and found["t_gauge"].labels == ("channel",)


def test_demo_children_run_only_when_asked_for() -> None:
    registry.process_register("t-child", "seal", "--loop")
    registry.process_register("t-demo-child", "demo_feed", demo=True)
    plain = [child.name for child in registry.processes(demo=False) if child.name in NAMES]
    demo = [child.name for child in registry.processes(demo=True) if child.name in NAMES]
    assert plain == ["t-child"]
    assert demo == ["t-child", "t-demo-child"]
