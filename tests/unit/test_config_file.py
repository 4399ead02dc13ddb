"""Whole files: what loads, what it becomes, where it is found, and that nothing but ConfigFaults comes of a bad one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import jsonschema
import pytest
import yaml
from apscheduler.triggers.cron import CronTrigger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field

from bot.config import Config, ConfigFaults, cron, find, load, schema, seconds
from bot.config.checks import address_fault
from bot.config.languages import CODES
from connectors import confluence
from connectors.base import ConfigProblem
from connectors.settings import ConnectorSettings, Secret, Strict, text_of

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
WORDS = sorted(set(re.findall(r"[a-z_]{3,}", TEXT)))
FRAGMENTS = [*"{}[]:,-#&*!|>'\"%@`?\t\n \\", *"éÅ\x85"]
FRAGMENTS += ["- ", ": ", "\n  ", "null", "off", "no", "1e9", "-1", "env:X", "<<: ", "---\n", "!!int ", "&a ", "*a"]


class Bird(Strict):
    cage: Path = Path("cage")
    key: Secret | None = None


class Parrot(ConnectorSettings):
    """A third party's connector."""

    type: Literal["parrot"]
    birds: list[Bird] = Field(default=[])


def written(folder: Path, text: str) -> Path:
    file = folder / "config.yaml"
    file.write_bytes(text.encode())
    return file


def loaded(folder: Path, text: str = "") -> Config:
    return load(written(folder, text + "connectors: [{name: polly, type: parrot}]\n"), types={"parrot": Parrot})


def test_the_example_loads_without_any_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in re.findall(r"env:(\w+)", TEXT):
        monkeypatch.delenv(name, raising=False)
    config = load(EXAMPLE)
    assert [settings.name for settings in config.connectors] == ["help", "fresh", "wiki", "docs", "handbook"]
    assert config.policy.topics[0].max_wrong == 0.02


def test_the_commented_writer_of_the_example_loads_too(tmp_path: Path) -> None:
    block = TEXT[TEXT.index("# writer:") : TEXT.index("voice:")]
    text = TEXT.replace("writer: {provider: extractive}", "x: 1").replace(block, re.sub(r"(?m)^# ", "", block))
    config = load(written(tmp_path, re.sub(r"(?m)^x: 1.*\n", "", text)))
    assert (config.writer.provider, config.writer.model) == ("openai", "gpt-6-luna")
    assert config.writer.prices is not None


def test_what_is_left_out_has_a_cautious_default(tmp_path: Path) -> None:
    config = loaded(tmp_path)
    assert (config.policy.default, config.policy.topics, config.policy.max_replies_per_ticket) == ("note", (), 3)
    assert (config.writer.provider, config.writer.fallback, config.embedding.provider) == ("extractive", "none", "local")
    assert (config.console.bind, config.database, config.budget) == ("127.0.0.1:8080", "sqlite", None)


def test_words_that_yaml_1_1_takes_for_booleans_and_dates_stay_words(tmp_path: Path) -> None:
    text = "languages: [no, en]\npolicy:\n  topics: [{name: 2026-11-01, about: on, deliver: reply, max_wrong: off}]\n"
    text += "  opt_out_tags: [yes, 1:30, 0777]\n"
    config = loaded(tmp_path, text)
    assert config.languages == ("no", "en")
    topic = config.policy.topics[0]
    assert (topic.name, topic.about, topic.max_wrong) == ("2026-11-01", "on", "off")
    assert config.policy.opt_out_tags == ("yes", "1:30", "0777")


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes("﻿languages: [fr]\r\nconnectors:\r\n- {name: p, type: parrot}\r\n".encode())
    assert load(tmp_path / "config.yaml", types={"parrot": Parrot}).languages == ("fr",)


def test_an_anchor_may_be_used_again(tmp_path: Path) -> None:
    text = "policy: {topics: [{name: &n legal, about: *n}]}\n"
    assert loaded(tmp_path, text).policy.topics[0].about == "legal"


def test_paths_start_from_the_folder_of_the_file_plug_ins_included(tmp_path: Path) -> None:
    text = "data_dir: ../data\ntraining: {provider: lora, model: ./models/base}\nconsole: {password: file:secrets/pw}\n"
    text += "connectors: [{name: p, type: parrot, birds: [{}, {cage: /abs, key: file:k}]}]\n"
    config = load(written(tmp_path, text), types={"parrot": Parrot})
    assert config.data_dir == tmp_path.parent / "data"
    assert config.training is not None
    assert config.training.model == tmp_path / "models/base"
    assert config.console.password == Secret(f"file:{tmp_path}/secrets/pw")
    parrot = config.connector("p")
    assert [bird.cage for bird in parrot.birds] == [tmp_path / "cage", Path("/abs")]
    assert parrot.birds[1].key == Secret(f"file:{tmp_path}/k")


def test_the_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert loaded(tmp_path, "data_dir: ~/bot\n").data_dir == tmp_path / "home/bot"


def test_secrets_are_read_when_asked_for_and_not_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESK_DB", raising=False)
    config = loaded(tmp_path, "database: env:DESK_DB\nconsole: {password: file:pw}\n")
    with pytest.raises(ConfigProblem, match="DESK_DB is not set"):
        config.database_url()
    monkeypatch.setenv("DESK_DB", "postgresql://bot:hunter2@db/x")
    assert config.database_url() == "postgresql://bot:hunter2@db/x"
    assert config.console.password is not None
    (tmp_path / "pw").write_text("hunter2\n")
    assert config.console.password.reveal() == "hunter2"
    assert "hunter2" not in repr(config) + config.model_dump_json()


def test_a_secret_file_of_other_bytes_is_refused_without_showing_them(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"hunter2\xff")
    with pytest.raises(ConfigProblem, match="UTF-8") as caught:
        Secret(f"file:{tmp_path}/key").reveal()
    assert caught.value.__suppress_context__


def test_a_name_may_stand_in_the_file_or_be_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_EMAIL", "bot@acme.example")
    wiki = "connectors:\n- {name: w, type: confluence, base_url: 'https://a.example', knowledge: {spaces: [A]}, "
    wiki += "auth: {email: %s, api_token: env:T}}\n"
    for email in ("env:BOT_EMAIL", "bot@acme.example"):
        auth = load(written(tmp_path, wiki % email), types={"confluence": confluence.Settings}).connector("w").auth
        assert text_of(auth.email) == "bot@acme.example"


def test_a_referenced_database_that_is_none_is_refused_without_showing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_DB", "mysql://bot:hunter2@db/x")
    with pytest.raises(ConfigProblem, match="env:DESK_DB") as caught:
        loaded(tmp_path, "database: env:DESK_DB\n").database_url()
    assert "hunter2" not in str(caught.value)


def test_the_file_named_comes_before_the_one_here_before_the_variable(tmp_path: Path) -> None:
    environ = {"DRAFTDESK_CONFIG": "/etc/desk.yaml"}
    assert find(None, folder=tmp_path, environ=environ) == Path("/etc/desk.yaml")
    here = written(tmp_path, "")
    assert find(None, folder=tmp_path, environ=environ) == here
    assert find(Path("own.yaml"), folder=tmp_path, environ=environ) == Path("own.yaml")


def test_a_file_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    missing = find(None, folder=tmp_path, environ={})
    with pytest.raises(ConfigFaults) as caught:
        load(missing)
    assert str(caught.value).startswith(f"{tmp_path}/config.yaml: there is no such file; `draftdesk sandbox` prints a ready one")
    with pytest.raises(ConfigFaults, match="this is a folder"):
        load(tmp_path)


def test_the_schema_is_valid_and_takes_the_example() -> None:
    published = schema()
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.Draft202012Validator(published).validate(yaml.load(TEXT, Loader=yaml.SafeLoader))


@pytest.mark.parametrize(
    "path", [(), ("writer",), ("policy", "topics", 0), ("connectors", 0), ("connectors", 2, "knowledge"), ("connectors", 1, "auth")]
)
def test_the_schema_refuses_an_unknown_key(path: tuple[str | int, ...]) -> None:
    document = yaml.safe_load(TEXT)
    place = document
    for step in path:
        place = place[step]
    place["zebra"] = 1
    assert not jsonschema.Draft202012Validator(schema()).is_valid(document)


def test_the_schema_describes_every_key_of_its_own() -> None:
    published = schema(types={"parrot": Parrot})
    for name, block in [("Config", published), *published["$defs"].items()]:
        for key, field in block.get("properties", {}).items():
            described = "description" in field or "$ref" in field or key in {"provider", "type"} or name in {"Parrot", "Bird"}
            assert described, f"{name}.{key}"


def test_the_guide_names_every_key_of_the_schema() -> None:
    guide = (EXAMPLE.parent / "docs/configuration.md").read_text(encoding="utf-8")
    published = schema()
    keys = {key for block in [published, *published["$defs"].values()] for key in block.get("properties", {})}
    assert [key for key in sorted(keys) if f"`{key}`" not in guide] == []


def guide_examples() -> list[str]:
    guide = (EXAMPLE.parent / "docs/configuration.md").read_text(encoding="utf-8")
    return re.findall(r"```yaml\n(.*?)```", guide, flags=re.DOTALL)


@pytest.mark.parametrize("block", guide_examples())
def test_every_example_of_the_guide_loads(block: str, tmp_path: Path) -> None:
    rest = "" if "connectors:" in block else "connectors: [{name: h, type: folder, path: h}]\n"
    assert load(written(tmp_path, block + rest)).connectors


@pytest.mark.parametrize(("text", "expected"), [("5s", 5), ("15m", 900), ("2h", 7200), ("1d", 86400)])
def test_a_duration_is_told_in_seconds(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "5", "m", "0m", "-1m", "1.5h", "1w", " 5s", "5s\n", "٥s", "1000000d"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unit"):
        seconds(text)


def test_days_of_the_week_are_those_of_crontab() -> None:
    assert cron("0 8 * * 1-5").day_of_week == "mon,tue,wed,thu,fri"
    assert cron("0 8 * * 0").day_of_week == cron("0 8 * * 7").day_of_week == cron("0 8 * * SUN").day_of_week == "sun"


def test_steps_and_ranges_are_told_number_by_number() -> None:
    assert cron("*/15 8-18/4 15,1 jan-mar *") == ("0,15,30,45", "8,12,16", "1,15", "1,2,3", "*")
    assert cron("50/5 0-1/9 * * *")[:2] == ("50,55", "0")


CRON_FIELD = st.from_regex(r"(\*|[0-9]{1,2}|mon|jan)(-([0-9]{1,2}|fri|dec))?(/[0-9])?(,[0-9]{1,2})?", fullmatch=True)


@given(st.lists(CRON_FIELD | st.just("*"), min_size=5, max_size=5))
@settings(max_examples=200, deadline=None)
def test_a_cron_line_that_is_accepted_is_one_for_the_scheduler(fields: list[str]) -> None:
    try:
        line = cron(" ".join(fields))
    except ValueError:
        return
    CronTrigger(**line._asdict(), timezone="UTC")


@pytest.mark.parametrize("text", ["https://a.example", "https://a.example:8443/v1", "http://127.0.0.1:9", "http://localhost", "http://[::1]:80/x"])
def test_an_address_on_this_machine_or_by_https_is_good(text: str) -> None:
    assert address_fault(text) is None


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1.evil.example", "http://10.0.0.1", "ftp://a", "https://", "https:// a", "https://a:99999", "https://[", "a"]
)
def test_any_other_address_is_refused(text: str) -> None:
    assert address_fault(text)


def test_plain_http_takes_a_word_beside_it(tmp_path: Path) -> None:
    config = loaded(tmp_path, "index: {url: 'http://qdrant.lan:6333', allow_plain_http: true}\n")
    assert config.index.url == "http://qdrant.lan:6333"


def test_all_two_letter_codes_are_there() -> None:
    assert len(CODES) == 183
    assert {"en", "no", "nb", "uk", "zh"} <= CODES


def outcome(folder: Path, text: str) -> Config | ConfigFaults:
    file = written(folder, text)
    try:
        return load(file)
    except ConfigFaults as problem:
        result = problem
    lines = len(re.split("\r\n|[\n\r\x85\u2028\u2029]", text))
    assert result.faults
    assert all(1 <= fault.line <= lines and fault.col >= 1 for fault in result.faults)
    assert str(result).encode().count(b"\n") == len(result.faults) - 1
    return result


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The example with a few pieces replaced."""
    text = TEXT
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 12))
        text = text[:start] + draw(st.sampled_from(FRAGMENTS) | st.sampled_from(WORDS) | st.text(max_size=3)) + text[end:]
    return text.encode("utf-8", "ignore").decode()


@given(mutated())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_example_loads_or_is_refused_with_faults(tmp_path: Path, text: str) -> None:
    outcome(tmp_path, text)


@given(st.lists(st.sampled_from(FRAGMENTS) | st.sampled_from(WORDS), max_size=40).map("".join))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_at_all_loads_or_is_refused_with_faults(tmp_path: Path, text: str) -> None:
    outcome(tmp_path, text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_at_any_key_loads_or_is_refused_with_faults(tmp_path: Path, data: st.DataObject) -> None:
    document = yaml.safe_load(TEXT)
    place = document
    while True:
        step = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[step], dict | list) or not place[step] or data.draw(st.booleans()):
            break
        place = place[step]
    place[step] = data.draw(VALUES)
    outcome(tmp_path, yaml.safe_dump(document))


@given(st.from_regex(r"[A-Za-z0-9!$%^()+=/~._-]{12,30}", fullmatch=True), st.sampled_from(sorted(set(re.findall(r"env:\w+", TEXT)))))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_secret_put_in_place_of_a_reference_is_ever_shown(tmp_path: Path, secret: str, reference: str) -> None:
    result = outcome(tmp_path, TEXT.replace(reference, secret))
    if isinstance(result, ConfigFaults):
        assert secret not in str(result)
