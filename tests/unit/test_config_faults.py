# ruff: noqa: E501 - a table reads better with one line a row
"""Malformed files: each fault stands at its line, column and path, and says what to write. `§` marks the place in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import field_validator

from bot.config import Config, ConfigFaults, load
from connectors import confluence, freshdesk, google_docs, zendesk
from connectors.settings import ConnectorSettings


class Parrot(ConnectorSettings):
    """A third party's connector, careless with what it refuses."""

    type: Literal["parrot"]
    phrase: str

    @field_validator("phrase")
    @classmethod
    def short(cls, phrase: str) -> str:
        if len(phrase) > 20:
            raise ValueError(f"{phrase} is too long for a parrot")
        return phrase


TYPES = {
    "parrot": Parrot,
    "freshdesk": freshdesk.Settings,
    "confluence": confluence.Settings,
    "google_docs": google_docs.Settings,
    "zendesk": zendesk.Settings,
}
DESK = "connectors:\n- {name: a, type: freshdesk, base_url: 'https://a.example', auth: {api_key: env:K}}\n"
BIRD = "connectors:\n- {name: polly, type: parrot, phrase: hello}\n"
WIKI = "connectors:\n- name: wiki\n  type: confluence\n  base_url: https://a.example/wiki\n"
FRESH = "connectors:\n- name: fresh\n  type: freshdesk\n  base_url: https://a.example\n"
KEY = "  auth: {api_key: env:K}\n"
DRIVE = "connectors:\n- name: docs\n  type: google_docs\n  auth: {service_account: file:/g.json}\n"
ZEN = "connectors:\n- name: help\n  type: zendesk\n  base_url: https://a.example\n"

# (what, the file, the path, words of the message)
CASES: list[tuple[str, str, str, tuple[str, ...]]] = [
    # the YAML itself
    ("empty file", "§", "", ("empty", "draftdesk sandbox")),
    ("only comments", "§# nothing\n", "", ("empty",)),
    ("a list", "§- a\n- b\n", "", ("a mapping is expected",)),
    ("a word", "§hello\n", "", ("a mapping is expected",)),
    ("a tab", f"{BIRD}policy:\n§\tdefault: note\n", "", ("tab", "spaces")),
    ("a tab after spaces", f"{BIRD}policy:\n  §\tdefault: note\n", "", ("tab", "spaces")),
    ("bad indentation", f"{BIRD}policy:\n    default: note\n  §topics: []\n", "", ("line up", "indent")),
    ("a key without colon", f"{BIRD}§policy\ndatabase: sqlite\n", "", ("colon",)),
    ("two colons", f"{BIRD}database: env§: X\n", "", ("colon is not expected", "quote")),
    ("an unclosed quote", f"{BIRD}database: §'sqlite\n", "", ("quote", "close it")),
    ("an unclosed bracket", f"{BIRD}languages: §[en, fr\n", "", ("close with ]",)),
    ("an unclosed brace", f"{BIRD}index: §{{url: null\n", "", ("close with }",)),
    ("an unquoted star", "connectors:\n- {name: p, type: parrot, phrase: hi, every: §*/5}\n", "", ("begins with *", "quotes")),
    ("an undefined alias", f"{BIRD}database: §*main\n", "", ("begins with *", "quotes")),
    ("an unquoted percent sign", f"{BIRD}database: §%x\n", "", ("cannot begin", "quotes")),
    ("an escape that is none", f'{BIRD}data_dir: "C:\\§data"\n', "", ("backslash", "single quotes")),
    ("a second document", f"{BIRD}§---\ndatabase: sqlite\n", "", ("second document",)),
    ("a control character", f"{BIRD}data_dir: a§\x07b\n", "", ("control character",)),
    ("an escaped control character", f'{BIRD}data_dir: §"a\\0b"\n', "data_dir", ("control character",)),
    ("half a character", f'{BIRD}data_dir: §"\\ud800"\n', "data_dir", ("control character",)),
    ("a key twice", f"{BIRD}database: sqlite\n§database: sqlite\n", "database", ("second time", "line 3")),
    ("a key twice within", f"{FRESH}  auth: {{api_key: env:K, §api_key: env:L}}\n", "connectors.0.auth.api_key", ("second time",)),
    ("a list as key", f"{BIRD}policy:\n  §[a]: b\n", "policy", ("cannot be a key",)),
    ("a python tag", f"{BIRD}data_dir: §!!python/object/apply:os.system [echo]\n", "data_dir", ("tag", "remove it")),
    ("a tag of one's own", f"{BIRD}data_dir: §!ENV X\n", "data_dir", ("tag", "remove it")),
    ("a tag that does not fit", f"{BIRD}policy: {{max_replies_per_ticket: §!!int many}}\n", "policy.max_replies_per_ticket", ("tag",)),
    ("a tag on the whole file", "§!mine\n  database: sqlite\n", "", ("tag",)),
    ("a merge key", f"{BIRD}policy: {{§<<: {{default: note}}}}\n", "policy.…", ("<<", "write the keys out")),
    ("an endless number", f"{BIRD}budget: {{usd_per_day: §1e999}}\n", "budget.usd_per_day", ("too large",)),
    # keys
    ("an unknown key", f"{BIRD}§langages: [en]\n", "langages", ("unknown key", "did you mean languages?")),
    ("an unknown key far from all", f"{BIRD}index: {{§zebra: 1}}\n", "index.zebra", ("known here: url, api_key",)),
    ("an unknown key of a connector", f"{FRESH}{KEY}  §tikets: {{}}\n", "connectors.0.tikets", ("did you mean tickets?",)),
    ("a key one level too high", f"{FRESH}{KEY}  §answer: new\n", "connectors.0.answer", ("belongs under tickets",)),
    ("no space after the colon", f"{FRESH}  auth: {{api_key: env:K, §token:x: 1}}\n", "connectors.0.auth.token…", ("space after the colon",)),
    ("no connectors", "§database: sqlite\n", "connectors", ("missing",)),
    ("empty connectors", "connectors: §[]\n", "connectors", ("at least 1",)),
    ("a missing key of a connector", f"connectors:\n- §name: f\n  type: freshdesk\n{KEY}", "connectors.0.base_url", ("missing", "https://")),
    ("a missing key within", f"{FRESH}  auth: §{{}}\n", "connectors.0.auth.api_key", ("missing", "env:FRESHDESK_API_KEY")),
    ("no type", "connectors:\n- §name: f\n", "connectors.0.type", ("missing", "freshdesk, google_docs")),
    ("a type that is none", "connectors:\n- {name: f, type: §zendeks}\n", "connectors.0.type", ("no such", "did you mean zendesk?")),
    ("a type that is a list", "connectors:\n- {name: f, type: §[zendesk]}\n", "connectors.0.type", ("no such",)),
    ("a connector that is a word", "connectors: [§zendesk]\n", "connectors.0", ("a mapping is expected",)),
    ("a value left out", f"{BIRD}policy:§\n", "policy", ("nothing stands here", "remove the key")),
    # values
    ("a word that is no choice", f"{BIRD}writer: {{provider: §extractiv}}\n", "writer.provider", ("extractive or openai", "did you mean extractive?")),
    ("a word for true", f"{FRESH}{KEY}  knowledge: {{articles: §maybe}}\n", "connectors.0.knowledge.articles", ("true or false",)),
    ("text for a list", f"{BIRD}languages: §en\n", "languages", ("a list is expected",)),
    ("a list for text", f"{BIRD}policy: {{topics: [{{name: §[a], about: b}}]}}\n", "policy.topics.0.name", ("text is expected",)),
    ("a number for text", f"{BIRD}policy: {{opt_out_tags: [§7]}}\n", "policy.opt_out_tags.0", ("put it in quotes",)),
    ("text for a number", f"{BIRD}policy: {{max_replies_per_ticket: §'3'}}\n", "policy.max_replies_per_ticket", ("without quotes",)),
    ("a number too small", f"{BIRD}policy: {{max_replies_per_ticket: §0}}\n", "policy.max_replies_per_ticket", ("at least 1",)),
    ("true for a number", f"{BIRD}budget: {{usd_per_day: §true}}\n", "budget.usd_per_day", ("a number is expected",)),
    ("a negative budget", f"{BIRD}budget: {{usd_per_day: §-1}}\n", "budget.usd_per_day", ("at least 0",)),
    ("a name with capitals", "connectors:\n- {name: §Help, type: parrot, phrase: hi}\n", "connectors.0.name", ("lower-case",)),
    ("a region", f"{BIRD}languages: [§en-US]\n", "languages.0", ("without a region",)),
    ("a language twice", f"{BIRD}languages: [en, fr, §en]\n", "languages.2", ("second time",)),
    ("no language", f"{BIRD}languages: §[]\n", "languages", ("at least 1",)),
    ("a bare number as interval", "connectors:\n- {name: p, type: parrot, phrase: hi, every: §15}\n", "connectors.0.every", ("15m",)),
    ("an interval without unit", "connectors:\n- {name: p, type: parrot, phrase: hi, every: §'15'}\n", "connectors.0.every", ("unit", "15m")),
    ("an interval in words", "connectors:\n- {name: p, type: parrot, phrase: hi, every: §daily}\n", "connectors.0.every", ("15m", "cron")),
    ("four cron fields", "connectors:\n- {name: p, type: parrot, phrase: hi, every: §'0 6 * *'}\n", "connectors.0.every", ("five fields",)),
    ("a 25th hour", "connectors:\n- {name: p, type: parrot, phrase: hi, every: §'0 25 * * *'}\n", "connectors.0.every", ("hour", "0 to 23")),
    ("30 February", "connectors:\n- {name: p, type: parrot, phrase: hi, every: §'0 6 30 2 *'}\n", "connectors.0.every", ("no such day",)),
    ("a backlog in weeks", f"{FRESH}{KEY}  tickets: {{backlog: §2w}}\n", "connectors.0.tickets.backlog", ("unit", "24h")),
    ("a timeout in nothing", f"{BIRD}writer: {{timeout: §30}}\n", "writer.timeout", ("30s",)),
    ("a bind without port", f"{BIRD}console: {{bind: §localhost}}\n", "console.bind", ("HOST:PORT",)),
    ("a port too high", f"{BIRD}console: {{bind: §'127.0.0.1:70000'}}\n", "console.bind", ("HOST:PORT",)),
    ("another database", f"{BIRD}database: §mysql://db/x\n", "database", ("sqlite, postgresql://",)),
    ("a database without host", f"{BIRD}database: §postgresql:///x\n", "database", ("no host",)),
    ("a device that is none", f"{BIRD}training: {{provider: lora, model: ./m, device: §gpu}}\n", "training.device", ("cuda",)),
    ("a trainer that is none", f"{BIRD}training: §{{provider: openia, model: m}}\n", "training", ("openai or lora", "did you mean openai?")),
    ("no trainer", f"{BIRD}training: §{{model: m}}\n", "training.provider", ("missing", "openai or lora")),
    ("a share of two", f"{BIRD}policy: {{topics: [{{name: a, about: b, max_wrong: §2}}]}}\n", "policy.topics.0.max_wrong", ("0.02", "off")),
    ("a share of nothing", f"{BIRD}policy: {{topics: [{{name: a, about: b, max_wrong: §0}}]}}\n", "policy.topics.0.max_wrong", ("0.02", "off")),
    ("replies by default", f"{BIRD}policy: {{default: §reply}}\n", "policy.default", ("note or never",)),
    # addresses
    ("no address", "connectors:\n- {name: f, type: freshdesk, base_url: §acme, auth: {api_key: env:K}}\n", "connectors.0.base_url", ("https://",)),
    ("plain http", f"{BIRD}writer: {{base_url: §'http://gpu.lan/v1'}}\n", "writer.base_url", ("plain http", "allow_plain_http: true")),
    ("a link in plain http", f"{BIRD}policy: {{allowed_links: [§'http://a.example']}}\n", "policy.allowed_links.0", ("https://",)),
    ("a public address", f"{BIRD}console: {{public_url: §desk.acme.example}}\n", "console.public_url", ("https://",)),
    ("an endpoint in plain http", f"{DRIVE}  endpoints: {{drive: §'http://x.lan'}}\n  knowledge: {{folders: [a]}}\n", "connectors.0.endpoints.drive", ("https",)),
    # secrets
    ("a literal key", f"{FRESH}  auth: {{api_key: §hunter2hunter2}}\n", "connectors.0.auth.api_key", ("reference", "env:FRESH_API_KEY")),
    ("a key of digits", f"{FRESH}  auth: {{api_key: §31415926}}\n", "connectors.0.auth.api_key", ("reference",)),
    ("a shell variable", f"{FRESH}  auth: {{api_key: §$FD_KEY}}\n", "connectors.0.auth.api_key", ("env:NAME",)),
    ("env: before a literal key", f"{FRESH}  auth: {{api_key: §'env:sk-hunter2'}}\n", "connectors.0.auth.api_key", ("env:NAME",)),
    ("a literal webhook secret", f"{FRESH}{KEY}  tickets: {{webhook_secret: §hunter2}}\n", "connectors.0.tickets.webhook_secret", ("reference",)),
    ("a literal password", f"{BIRD}console: {{password: §hunter2}}\n", "console.password", ("env:DRAFTDESK_PASSWORD",)),
    ("a password in the database", f"{BIRD}database: §postgresql://bot:hunter2@db/x\n", "database", ("env:DATABASE_URL",)),
    ("a password as parameter", f"{BIRD}database: §postgresql://db/x?password=hunter2\n", "database", ("env:DATABASE_URL",)),
    ("a user in an address", f"{BIRD}writer: {{base_url: §'https://me:hunter2@a.example'}}\n", "writer.base_url", ("must not hold",)),
    ("a token in an address", f"{BIRD}index: {{url: §'https://a.example?api_key=hunter2'}}\n", "index.url", ("must not hold",)),
    # keys that need one another
    ("the same name twice", f"{BIRD}- {{name: §polly, type: parrot, phrase: hi}}\n", "connectors.1.name", ("already used by connectors.0",)),
    ("the same topic twice", f"{BIRD}policy: {{topics: [{{name: a, about: b}}, {{name: §A, about: c}}]}}\n", "policy.topics.1.name", ("already used",)),
    ("a reply without bound", f"{BIRD}policy: {{topics: [§{{name: a, about: b, deliver: reply}}]}}\n", "policy.topics.0.max_wrong", ("missing", "0.02")),
    ("a writer without model", f"{BIRD}writer: §{{provider: openai, api_key: env:K}}\n", "writer.model", ("missing",)),
    ("OpenAI without key", f"{BIRD}writer: §{{provider: openai, model: m}}\n", "writer.api_key", ("missing", "env:OPENAI_API_KEY")),
    ("an embedder without model", f"{BIRD}embedding: §{{provider: fastembed}}\n", "embedding.model", ("missing",)),
    ("a budget without prices", f"{BIRD}budget: {{usd_per_day: 1}}\nwriter: §{{provider: openai, model: m, api_key: env:K}}\n", "writer.prices", ("unknown price",)),
    ("an open console", f"{BIRD}console: §{{bind: '0.0.0.0:80'}}\n", "console.password", ("missing", "127.0.0.1:8080")),
    ("half a sign-in", f"{WIKI}  knowledge: {{spaces: [A]}}\n  auth: §{{email: a@b.c}}\n", "connectors.0.auth.api_token", ("missing",)),
    ("two sign-ins", f"{WIKI}  knowledge: {{spaces: [A]}}\n  auth: §{{email: a@b.c, token: env:K}}\n", "connectors.0.auth", ("keep",)),
    ("a space not learnt", f"{WIKI}  auth: {{token: env:K}}\n  knowledge: {{spaces: [A], audience: {{§B: public}}}}\n", "connectors.0.knowledge.audience.B", ("spaces",)),
    ("an audience that is none", f"{WIKI}  auth: {{token: env:K}}\n  knowledge: {{spaces: [A], audience: {{A: §all}}}}\n", "connectors.0.knowledge.audience.A", ("public or internal",)),
    ("no folder", f"{DRIVE}  knowledge: §{{folders: []}}\n", "connectors.0.knowledge", ("folders or shared_drives",)),
    ("Zendesk without sign-in", f"{ZEN}  auth: §{{}}\n", "connectors.0.auth", ("exactly one",)),
    ("a plug-in's refusal", "connectors:\n- {name: p, type: parrot, phrase: §hunter2 hunter2 hunter2}\n", "connectors.0.phrase", ("too long",)),
]  # fmt: skip


def read(folder: Path, text: str | bytes) -> Config:
    file = folder / "config.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return load(file, types=TYPES)


@pytest.mark.parametrize(("text", "path", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_fault_stands_at_its_place_and_says_what_to_write(text: str, path: str, words: tuple[str, ...], tmp_path: Path) -> None:
    before, _, after = text.partition("§")
    with pytest.raises(ConfigFaults) as caught:
        read(tmp_path, before + after)
    assert len(caught.value.faults) == 1, str(caught.value)
    fault = caught.value.faults[0]
    assert (fault.line, fault.col, fault.path) == (before.count("\n") + 1, len(before) - before.rfind("\n"), path), str(fault)
    assert all(word in fault.message for word in words), fault.message
    where = f"{tmp_path / 'config.yaml'}:{fault.line}:{fault.col}: "
    assert str(caught.value) == where + (f"{path}: {fault.message}" if path else fault.message)


@pytest.mark.parametrize("text", [case[1] for case in CASES if "hunter2" in case[1]])
def test_a_secret_in_the_file_is_never_repeated(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigFaults) as caught:
        read(tmp_path, text.replace("§", ""))
    assert "hunter2" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    "auth", ["hunter2", "[hunter2]", "{api_key:hunter2}", "{hunter2}", "*hunter2", "!hunter2 x", "&hunter2", "%hunter2", "{k: 'hunter2}", "hunter2: x"]
)
def test_a_secret_in_a_wrong_place_is_never_repeated(auth: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigFaults) as caught:
        read(tmp_path, f"{FRESH}  auth: {auth}\n")
    assert "hunter2" not in str(caught.value) + repr(caught.value)


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = f"""\
langages: [en]
database: oracle
writer: {{provider: openai}}
{FRESH}  auth: {{api_key: literal}}
  every: never
console: {{bind: "0.0.0.0:80"}}
policy: {{default: maybe}}
"""
    with pytest.raises(ConfigFaults) as caught:
        read(tmp_path, text)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "langages", "database", "writer.model", "writer.api_key", "connectors.0.auth.api_key", "connectors.0.every", "console.password",
        "policy.default",
    ]  # fmt: skip


def test_six_faults_are_six_lines(tmp_path: Path) -> None:
    with pytest.raises(ConfigFaults) as caught:
        read(tmp_path, "a1: 1\nb1: 2\nlanguages: [xx]\ndatabase: x\nindex: 5\nconnectors: {}\n")
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["1", "2", "3", "4", "5", "6"]


def test_a_bad_item_does_not_make_its_list_too_short(tmp_path: Path) -> None:
    with pytest.raises(ConfigFaults) as caught:
        read(tmp_path, "connectors: [{name: p, type: parrot}]\n")
    assert [fault.path for fault in caught.value.faults] == ["connectors.0.phrase"]


@pytest.mark.parametrize(
    ("raw", "place", "word"),
    [
        (BIRD.encode("utf-16"), (1, 1), "UTF-16"),
        (BIRD.encode() + b"data_dir: caf\xe9\n", (3, 14), "UTF-8"),
        (b"x" * 300_000, (1, 1), "KiB"),
        (b"a: " + b"[" * 100 + b"]" * 100, (1, 35), "nested"),
    ],
)
def test_bytes_that_are_no_configuration_are_refused_where_they_stand(raw: bytes, place: tuple[int, int], word: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigFaults, match=word) as caught:
        read(tmp_path, raw)
    assert (caught.value.faults[0].line, caught.value.faults[0].col) == place


def test_aliases_that_unfold_into_billions_are_refused(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    with pytest.raises(ConfigFaults, match="too many values"):
        read(tmp_path, bomb)


def test_an_alias_within_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigFaults, match="leads back into itself"):
        read(tmp_path, f"{BIRD}policy: &a {{topics: [*a]}}\n")
