"""Confluence's query language, as far as pages are asked for with it: conditions, functions of time, an order."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.sandbox.confluence.records import Entry, Item

TOKEN = re.compile(r"""\s*(?:("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(!=|>=|<=|!~|[=<>~(),])|([^\s"'=<>~!(),]+))""")
FORMS = ("%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y-%m-%d")
OFFSET = re.compile(r"^([+-]?)(\d+)([yMwdhm])$")
UNITS = {"y": 365 * 1440, "M": 30 * 1440, "w": 7 * 1440, "d": 1440, "h": 60, "m": 1}  # minutes
TIMES = ("lastmodified", "created")
WORDS = ("space", "type", "id", "content", "title", "text", "label", "creator", "ancestor", "parent", "macro")
MACRO = re.compile(r'<ac:(?:structured-)?macro [^>]*ac:name="([^"]*)"')
SORTED = {"lastmodified": "modified", "created": "created", "title": "title", "id": "id"}
Test = Callable[[Item, Entry], bool]
MINUTE = timedelta(minutes=1)


class CqlFault(ValueError):
    """Not a query; says where."""


@dataclass(frozen=True, slots=True)
class Query:
    """`order`: field and whether it descends."""

    test: Test
    order: tuple[tuple[str, bool], ...]


def parse(text: str, now: datetime, zone: ZoneInfo, me: str) -> Query:
    """Moments in the text are in `zone`. Raises CqlFault."""
    return _Reader(text, now, zone, me).query()


def value_of(item: Item, entry: Entry, field: str) -> str | int:
    """What a result is sorted by; comparable with others of the same field, and fit for JSON."""
    found = item.id if field == "id" else getattr(entry, SORTED[field])
    return found if isinstance(found, int) else found.lower() if isinstance(found, str) else found.isoformat()


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise CqlFault(f"Could not parse cql : {text}")
        found.append(match[1] or match[2] or match[3])
        at = match.end()
    return found


class _Reader:
    def __init__(self, text: str, now: datetime, zone: ZoneInfo, me: str) -> None:
        self._text, self._now, self._zone, self._me = text, now, zone, me
        self._tokens, self._at = _tokens(text), 0

    def query(self) -> Query:
        test: Test = (lambda item, entry: True) if self._word() == "order" else self._either()
        order: list[tuple[str, bool]] = []
        if self._take("order"):
            self._need("by")
            order.append(self._sort())
            while self._take(","):
                order.append(self._sort())
        if self._at < len(self._tokens):
            raise self._fault()
        return Query(test, tuple(order))

    def _sort(self) -> tuple[str, bool]:
        field = self._next().lower()
        if field not in SORTED:
            raise self._fault()
        descends = self._take("desc")
        if not descends:
            self._take("asc")
        return field, descends

    def _either(self) -> Test:
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return lambda item, entry: any(test(item, entry) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return lambda item, entry: all(test(item, entry) for test in tests)

    def _one(self) -> Test:
        if self._take("not"):
            inner = self._one()
            return lambda item, entry: not inner(item, entry)
        if self._take("("):
            inner = self._either()
            self._need(")")
            return inner
        field = self._next().lower()
        if field in TIMES:
            return self._time(field)
        if field not in WORDS:
            raise CqlFault(f"No field exists with name '{field}'")
        return self._named(field)

    def _time(self, field: str) -> Test:
        operator, at = self._next(), self._moment()

        def test(item: Item, entry: Entry) -> bool:
            found = entry.modified if field == "lastmodified" else entry.created
            minute = found - timedelta(seconds=found.second, microseconds=found.microsecond)
            return _compared(operator, minute, at - timedelta(seconds=at.second, microseconds=at.microsecond))

        if operator not in ("=", "!=", "<", "<=", ">", ">="):
            raise self._fault()
        return test

    def _moment(self) -> datetime:
        word = self._next()
        if self._take("("):
            shift = "" if self._word() == ")" else _unquoted(self._next())
            self._need(")")
            return self._function(word.lower(), shift)
        text = _unquoted(word)
        for form in FORMS:
            try:
                return datetime.strptime(text, form).replace(tzinfo=self._zone)
            except ValueError:
                continue
        raise CqlFault(f"Could not parse date '{text}'; it is one of yyyy/MM/dd HH:mm, yyyy-MM-dd HH:mm, yyyy/MM/dd, yyyy-MM-dd")

    def _function(self, name: str, shift: str) -> datetime:
        here = self._now.astimezone(self._zone)
        day = here.replace(hour=0, minute=0, second=0, microsecond=0)
        starts = {"now": here, "startofday": day, "startofweek": day - timedelta(days=day.weekday()), "startofmonth": day.replace(day=1)}
        if name not in starts:
            raise CqlFault(f"No function exists with name '{name}'")
        if not shift:
            return starts[name]
        match = OFFSET.match(shift)
        if match is None:
            raise CqlFault(f"Could not parse the offset '{shift}'")
        minutes = int(match[2]) * UNITS[match[3]]
        return starts[name] + (-1 if match[1] == "-" else 1) * minutes * MINUTE

    def _named(self, field: str) -> Test:
        operator = self._next().lower()
        denied = operator in ("!=", "!~")
        if operator == "not":
            self._need("in")
            operator, denied = "in", True
        values = self._several() if operator == "in" else (self._value(),)
        if operator not in ("=", "!=", "in", "~", "!~"):
            raise self._fault()
        loose = operator in ("~", "!~")
        return lambda item, entry: _matches(field, item, entry, values, loose) != denied

    def _several(self) -> tuple[str, ...]:
        self._need("(")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._need(")")
        return tuple(values)

    def _value(self) -> str:
        word = self._next()
        if word.lower() == "currentuser" and self._take("("):
            self._need(")")
            return self._me
        return _unquoted(word)

    def _word(self) -> str:
        return self._tokens[self._at].lower() if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise self._fault()
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, word: str) -> bool:
        taken = self._word() == word
        self._at += taken
        return taken

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise self._fault()

    def _fault(self) -> CqlFault:
        return CqlFault(f"Could not parse cql : {self._text}")


def _unquoted(word: str) -> str:
    """What begins with a tilde must be quoted. Raises CqlFault."""
    if word[:1] in "\"'":
        return re.sub(r"\\(.)", r"\1", word[1:-1])
    if word.startswith("~") or word in ("(", ")", ",", "=", "<", ">", "~"):
        raise CqlFault(f"Could not parse cql near {word}")
    return word


def _compared(operator: str, found: datetime, asked: datetime) -> bool:
    results = {"=": found == asked, "!=": found != asked, "<": found < asked, "<=": found <= asked, ">": found > asked}
    return results.get(operator, found >= asked)


def _matches(field: str, item: Item, entry: Entry, values: tuple[str, ...], loose: bool) -> bool:
    if field in ("title", "text") and loose:
        text = (entry.title if field == "title" else f"{entry.title} {entry.body}").lower()
        return any(all(word in text for word in value.lower().replace("*", "").split()) for value in values)
    known: dict[str, set[str]] = {
        "space": {entry.space.lower()},
        "type": {item.kind},
        "id": {str(item.id)},
        "content": {str(item.id)},
        "title": {entry.title.lower()},
        "label": {label.lower() for label in entry.labels},
        "creator": {entry.creator.lower()},
        "ancestor": {str(id) for id in entry.above},
        "parent": {str(id) for id in entry.above[-1:]},
        "macro": {name.lower() for name in MACRO.findall(entry.body)} if field == "macro" else set(),
    }
    return bool(known[field] & {value.lower() for value in values})
