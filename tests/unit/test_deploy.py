"""The files under deploy/: what they name exists, and they promise no more than they hold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from bot.config import load
from bot.gauges import Gauges
from bot.metrics import Metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = re.compile(r"draftdesk_[a-z_]+")
BESIDE = ("_total", "_bucket", "_sum", "_count", "_created")


def known() -> set[str]:
    """Every metric that the code has: those that are counted, and those that are read from the database."""
    counted = {family.name for family in Metrics().registry.collect()}
    source = Path(Gauges.__init__.__globals__["__file__"]).read_text(encoding="utf-8")
    return counted | set(re.findall(r'gauge\(\s*"(draftdesk_[a-z_]+)"', source))


def base(name: str) -> str:
    return next((name.removesuffix(end) for end in BESIDE if name.endswith(end)), name)


def expressions(file: str) -> list[str]:
    text = (DEPLOY / file).read_text(encoding="utf-8")
    if file.endswith(".json"):
        return [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]
    return [rule["expr"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("file", ["grafana.json", "alerts.yaml"])
def test_every_metric_that_the_examples_ask_for_exists(file: str) -> None:
    named = {name for expression in expressions(file) for name in NAME.findall(expression)}
    assert len(named) > 5
    assert {name for name in named if base(name) not in known() and name not in known()} == set()


@pytest.mark.parametrize("file", ["grafana.json", "alerts.yaml"])
def test_labels_that_are_summed_by_are_labels_of_the_metric(file: str) -> None:
    labels = {"connector", "decision", "reason", "topic", "step", "le", "state", "change", "outcome", "task", "model"}
    for expression in expressions(file):
        assert expression.count("(") == expression.count(")")
        for group in re.findall(r"by \(([^)]*)\)", expression):
            assert {one.strip() for one in group.split(",")} <= labels, expression


def test_every_alert_says_what_to_do() -> None:
    rules = [rule for group in yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
    assert all(rule["annotations"]["summary"] and rule["annotations"]["action"] and rule["labels"]["severity"] for rule in rules)


def test_containers_have_no_root_no_writable_root_and_no_capability() -> None:
    compose: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for name in ("run", "worker"):
        service = compose["services"][name]
        assert (service["read_only"], service["user"], service["cap_drop"]) == (True, "10001:10001", ["ALL"])
        assert "no-new-privileges:true" in service["security_opt"]
    assert not [port for service in compose["services"].values() for port in service.get("ports", ()) if not port.startswith("127.0.0.1:")]
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert "USER 10001:10001" in lines
    assert any(line.startswith("HEALTHCHECK") and '"draftdesk", "health"' in line for line in lines)
    assert any("--require-hashes" in line for line in lines)


def test_secrets_reach_the_containers_as_files_only() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    declared = set(compose["secrets"])
    used = {secret for service in compose["services"].values() for secret in service.get("secrets", ())}
    assert used == declared
    assert "PASSWORD:" not in (DEPLOY / "compose.yaml").read_text().replace("PASSWORD_FILE:", "").replace("bot:PASSWORD@", "")


def test_the_configuration_for_compose_is_one_that_is_taken() -> None:
    config = load(DEPLOY / "config.compose.yaml")
    assert config.index.url == "http://qdrant:6333"


def test_the_unit_runs_as_nobody_special_and_writes_to_its_own_folder_only() -> None:
    lines = [line for line in (DEPLOY / "draftdesk.service").read_text().splitlines() if "=" in line and line[0] != "#"]
    unit = dict(line.split("=", 1) for line in lines)
    assert (unit["User"], unit["ProtectSystem"], unit["NoNewPrivileges"]) == ("draftdesk", "strict", "yes")
    assert unit["StateDirectory"] == "draftdesk"
    assert int(unit["TimeoutStopSec"]) > 10


def test_gauges_leave_out_what_cannot_be_read() -> None:
    def broken() -> Any:
        raise RuntimeError("away")

    away = SimpleNamespace(engine=SimpleNamespace(execution_options=lambda **_: broken()))
    names = [family.name for family in Gauges(away, lambda: 3.0).collect()]  # type: ignore[arg-type]
    assert names == ["draftdesk_heartbeat_age_seconds"]
