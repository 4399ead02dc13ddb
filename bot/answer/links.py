
"""Every address a reader could follow, write to or call, in whatever syntax it is written."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

_SCHEME = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,15}:)?//[^\s<>\"'`|\\^{}\[\]]+|\b(?:mailto|tel|sms|javascript|data|vbscript|callto|skype|whatsapp|ftp|file|blob):[^\s<>\"'`|]+",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)*", re.UNICODE)
_BARE = re.compile(
    r"(?<![\w@./:-])(?:[^\W_](?:[\w-]{0,62})\.)+[^\W\d_]{2,24}(?::\d{1,5})?(?:[/?#][^\s<>\"'`|\\^{}\[\]]*)?(?![\w@])", re.UNICODE
)
_ADDRESS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?:/[^\s<>\"']*)?(?!\w|\.\d)")
_PHONE = re.compile(r"(?<![\w.,/-])(?:\+|\(\+?)?\d(?:[ \u00a0().\-/]{0,3}\d){6,16}(?![\w])")
_DATE_LIKE = re.compile(r"^\d{4}-\d{1,2}-\d{1,2}(?:[ T]\d{1,2})?$|^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}$|^\d{4}-\d{4}$|^\d{1,3}(?:[ .]\d{3})+$")
_MARKDOWN = re.compile(r"!?\[([^\]]*)\]\(\s*<?([^\s)>]+)>?(?:\s+[\"'(][^)]*)?\)|^\s*\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.DOTALL)
_TRAILING = ".,;:!?)'\"*_>]}"


def links(text: str) -> frozenset[str]:
    """Keys of all URLs, hosts, e-mail addresses and phone numbers in a text; two spellings of one address share a key."""
    return frozenset(_keys(text))


def carried_links(texts: Iterable[str], allowed: Iterable[str]) -> frozenset[str]:
    """What the passages show a reader (comments in them show nothing), and what the operator allows."""
    return frozenset().union(*(links(_COMMENT.sub(" ", text)) for text in texts), *(links(link) | {address_key(link)} for link in allowed))


def address_key(link: str) -> str:
    """Without scheme and closing punctuation; the host in lower case, path and query as they are."""
    link = unicodedata.normalize("NFKC", html.unescape(link)).strip().rstrip(_TRAILING)
    scheme, _, rest = link.rpartition("//") if re.match(r"^(?:https?:)?//", link, re.IGNORECASE) else ("", "", link)
    rest = re.sub(r"^(?:mailto|tel):", "", rest, flags=re.IGNORECASE) if not scheme else rest
    host, slash, path = re.match(r"^([^/?#]*)([/?#]?)(.*)$", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    return (host.casefold() + slash + path).rstrip("/")


def _keys(text: str) -> Iterator[str]:
    text = unicodedata.normalize("NFKC", html.unescape(html.unescape(text)))
    for matched in _MARKDOWN.finditer(text):
        yield address_key(matched.group(2) or matched.group(3))
    text = _MARKDOWN.sub(lambda matched: f" {matched.group(1) or ''} ", text)
    for pattern in (_SCHEME, _EMAIL, _BARE, _ADDRESS):
        found = [matched.group() for matched in pattern.finditer(text)]
        yield from (address_key(link) for link in found)
        text = pattern.sub(" ", text)
    for matched in _PHONE.finditer(text):
        if not _DATE_LIKE.match(matched.group().strip()):
            yield phone_key(matched.group())


def phone_key(phone: str) -> str:
    digits = re.sub(r"\D", "", unquote(phone))
    return "tel:" + digits.removeprefix("00")


def plain(text: str) -> str:
    """Inline Markdown as a reader sees it: labels without targets, no emphasis marks or code ticks."""
    text = _MARKDOWN.sub(lambda matched: matched.group(1) or "", text)
    text = re.sub(r"<(https?://[^\s>]+|[\w.+-]+@[\w.-]+)>", r"\1", text)
    text = re.sub(r"\\([\\`*_{}\[\]()#+\-.!|>~])", r"\1", text)
    text = re.sub(r"`{1,3}([^`]*)`{1,3}", r"\1", text)
    return re.sub(r"(?<!\w)(\*\*|__|\*|_|~~)(?=\S)(.+?)(?<=\S)\1(?!\w)", r"\2", text)
