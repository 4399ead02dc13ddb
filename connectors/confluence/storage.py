"""Confluence's storage format to HTML that `connectors.markdown` reads: macros, links, tasks and what else is not HTML.

It is XML without a declaration: prefixes `ac:` and `ri:` that nobody declared, HTML's entities, several roots. An XML parser reads it
(one for HTML loses CDATA, and with it all code) after both are supplied.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from html.entities import html5
from urllib.parse import quote

from lxml import etree

from connectors.markdown import clean, plain, to_markdown

DEEPEST = 90  # levels; beyond it only the text
_AC, _RI = "{ac}", "{ri}"
_CDATA = re.compile(r"(<!\[CDATA\[.*?\]\]>)", re.DOTALL)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*;)")
_BARE = re.compile(r"&(?!#?\w+;)")
_XML_OWN = {"amp;", "lt;", "gt;", "quot;", "apos;"}
_BOXES = {"info": "Info", "note": "Note", "warning": "Warning", "tip": "Tip"}
_WITH_TITLE = {"panel", "expand", "details", "excerpt", "section", "column", "div", "span", "details-summary"}
_SILENT = {
    "toc", "toc-zone", "children", "pagetree", "pagetreesearch", "anchor", "recently-updated", "contentbylabel", "content-by-label",
    "livesearch",
    "page-properties-report", "detailssummary", "attachments", "gallery", "profile", "contributors", "view-file", "viewpdf", "listlabels",
    "change-history", "space-details", "blog-posts", "index", "popular-labels", "related-labels", "tasks-report-macro", "widget",
}  # what they show is not in the page, or is only a way to other pages
_DROPPED = {f"{_AC}parameter", f"{_AC}placeholder", f"{_AC}adf-fallback", f"{_AC}adf-attribute", f"{_AC}task-id", f"{_AC}task-uuid"}
_MARK = re.compile(r"ac:name=\"(?:include|excerpt-include)\"")


@dataclass(frozen=True, slots=True)
class Target:
    """The page that an include names; `space` None: the same space. `excerpt`: only its excerpt, the one named so where `name` is set."""

    title: str
    space: str | None
    excerpt: bool = False
    name: str | None = None


Fetch = Callable[[Target], str | None]  # storage of the included page, None where it may not be shown or is not there


@dataclass(slots=True)
class Reading:
    """What is needed and found while one page is read."""

    base: str  # the site's address that links are built on
    space: str
    fetch: Fetch
    unknown: Counter[str] = field(default_factory=Counter)
    within: tuple[Target, ...] = ()


def markdown(body: str, reading: Reading) -> str:
    """Markdown of a page's body; never an exception: what is no XML at all is read as HTML."""
    return to_markdown(html(body, reading), f"{reading.base}/")


def includes(body: str) -> bool:
    """Whether other pages' text belongs into this one."""
    return _MARK.search(body) is not None


def html(body: str, reading: Reading) -> str:
    """Plain HTML of a body."""
    root = parsed(body)
    return f"<p>{escape(plain(body))}</p>" if root is None else _inner(root, reading, 0)


def parsed(body: str) -> etree._Element | None:
    """The tree, its faults mended as far as that goes."""
    parts = _CDATA.split(body)
    text = clean("".join(part if n % 2 else _BARE.sub("&amp;", _ENTITY.sub(_named, part)) for n, part in enumerate(parts)))
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True, strip_cdata=True, huge_tree=True
    )
    try:
        root = etree.fromstring(f'<root xmlns:ac="ac" xmlns:ri="ri">{text}</root>'.encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is None or (body.strip() and not len(root) and not (root.text or "").strip()):
        return None
    return root


def _named(found: re.Match[str]) -> str:
    return found[0] if found[1] in _XML_OWN else html5.get(found[1], escape(found[0]))


def _inner(element: etree._Element, reading: Reading, depth: int) -> str:
    if depth > DEEPEST:
        return escape(" ".join(str(text) for text in element.itertext()))
    said = [escape(element.text or "")]
    for child in element:
        if isinstance(child.tag, str):
            said.append(_outer(child, reading, depth + 1))
        said.append(escape(child.tail or ""))
    return "".join(said)


def _outer(element: etree._Element, reading: Reading, depth: int) -> str:
    tag = str(element.tag)
    if tag in _DROPPED:
        return ""
    if tag in (f"{_AC}structured-macro", f"{_AC}macro"):
        return _macro(element, reading, depth)
    special = _SPECIAL.get(tag)
    if special is not None:
        return special(element, reading, depth)
    inner = _inner(element, reading, depth)
    if tag.startswith("{"):
        return f"<div>{inner}</div>" if tag in _AROUND else inner
    attributes = "".join(f' {name}="{escape(str(value))}"' for name, value in element.attrib.items() if not str(name).startswith("{"))
    return f"<{tag}{attributes}/>" if tag in ("br", "hr", "img", "col") else f"<{tag}{attributes}>{inner}</{tag}>"


# --- macros ---


def _parameter(macro: etree._Element, name: str) -> str:
    for child in macro:
        if child.tag == f"{_AC}parameter" and child.get(f"{_AC}name", "") == name:
            return " ".join("".join(str(text) for text in child.itertext()).split())
    return ""


def _body(macro: etree._Element, reading: Reading, depth: int) -> str:
    rich = macro.find(f"{_AC}rich-text-body")
    if rich is not None:
        return _inner(rich, reading, depth)
    text = macro.find(f"{_AC}plain-text-body")
    return "" if text is None else escape("".join(str(part) for part in text.itertext()))


def _macro(macro: etree._Element, reading: Reading, depth: int) -> str:
    name = macro.get(f"{_AC}name", "").lower()
    if name in ("code", "noformat"):
        language = escape(_parameter(macro, "language") or _parameter(macro, ""))
        title = _parameter(macro, "title")
        shown = f"<p>{escape(title)}</p>" if title else ""
        return f'{shown}<pre data-language="{language}"><code>{_body(macro, reading, depth)}</code></pre>'
    if name == "status":
        return f" {escape(_parameter(macro, 'title') or _parameter(macro, 'colour'))} "
    if name == "jira":
        return escape(_parameter(macro, "key"))
    if name in ("include", "excerpt-include"):
        return _included(macro, name, reading, depth)
    inner = _body(macro, reading, depth)
    if name in _BOXES:
        title = _parameter(macro, "title")
        return f"<blockquote><p>{_BOXES[name]}{f': {escape(title)}' if title else ''}</p>{inner}</blockquote>"
    if name == "excerpt" and _parameter(macro, "hidden").lower() == "true":
        return ""
    if name not in _WITH_TITLE and name not in _SILENT:
        reading.unknown[name or "without a name"] += 1
    title = _parameter(macro, "title") if name in _WITH_TITLE else ""
    shown = f"<p>{escape(title)}</p>" if title else ""
    return inner if macro.get(f"{_AC}layout") == "INLINE" else f"<div>{shown}{inner}</div>" if shown or inner else ""


def _included(macro: etree._Element, name: str, reading: Reading, depth: int) -> str:
    page = next(macro.iter(f"{_RI}page"), None)
    title = page.get(f"{_RI}content-title", "") if page is not None else _parameter(macro, "")
    if not title:
        return ""
    space = page.get(f"{_RI}space-key") if page is not None else None
    target = Target(title, space or reading.space, name != "include", _parameter(macro, "name") or None)
    if target in reading.within or len(reading.within) >= 3:
        return ""
    body = reading.fetch(target)
    root = parsed(body) if body else None
    if root is None:
        return ""
    deeper = Reading(reading.base, target.space or reading.space, reading.fetch, reading.unknown, (*reading.within, target))
    if not target.excerpt:
        return f"<div>{_inner(root, deeper, depth)}</div>"
    for found in root.iter(f"{_AC}structured-macro"):
        if found.get(f"{_AC}name") == "excerpt" and (target.name is None or _parameter(found, "name") == target.name):
            return f"<div>{_body(found, deeper, depth)}</div>"
    return ""


# --- the other elements ---


def _link(link: etree._Element, reading: Reading, depth: int) -> str:
    body = link.find(f"{_AC}link-body")
    if body is None:
        body = link.find(f"{_AC}plain-text-link-body")
    words = _inner(body, reading, depth) if body is not None else ""
    for child in link:
        if child.tag in (f"{_RI}page", f"{_RI}blog-post"):
            title = child.get(f"{_RI}content-title", "")
            space = child.get(f"{_RI}space-key") or reading.space
            href = f"{reading.base}/display/{quote(space)}/{quote(title)}"
            return f'<a href="{escape(href)}">{words or escape(title)}</a>' if title else words
        if child.tag == f"{_RI}attachment":
            return words or escape(child.get(f"{_RI}filename", ""))
        if child.tag == f"{_RI}space":
            return words or escape(child.get(f"{_RI}space-key", ""))
        if child.tag == f"{_RI}url":
            href = child.get(f"{_RI}value", "")
            return f'<a href="{escape(href)}">{words or escape(href)}</a>'
        if child.tag == f"{_RI}user":
            return words or "@user"  # storage names people by a key only
    return words or escape(link.get(f"{_AC}anchor", ""))


def _image(image: etree._Element, reading: Reading, depth: int) -> str:
    caption = image.find(f"{_AC}caption")
    shown = f"<p>{_inner(caption, reading, depth)}</p>" if caption is not None else ""
    return f'<img alt="{escape(image.get(f"{_AC}alt") or image.get(f"{_AC}title") or "")}"/>{shown}'


def _task(task: etree._Element, reading: Reading, depth: int) -> str:
    done = (task.findtext(f"{_AC}task-status") or "").strip() == "complete"
    body = task.find(f"{_AC}task-body")
    return f"<li>[{'x' if done else ' '}] {_inner(body, reading, depth) if body is not None else ''}</li>"


def _tasks(tasks: etree._Element, reading: Reading, depth: int) -> str:
    return f"<ul>{_inner(tasks, reading, depth)}</ul>"


def _emoticon(emoticon: etree._Element, reading: Reading, depth: int) -> str:
    return escape(emoticon.get(f"{_AC}emoji-fallback") or emoticon.get(f"{_AC}emoji-shortname") or "")


def _time(time: etree._Element, reading: Reading, depth: int) -> str:
    return _inner(time, reading, depth) or escape(time.get("datetime", ""))


def _extension(extension: etree._Element, reading: Reading, depth: int) -> str:
    """The node itself; its fallback says the same again and stands in only where there is no node."""
    node = extension.find(f"{_AC}adf-node")
    if node is not None and "".join(str(text) for text in node.itertext()).strip():
        return f"<div>{_inner(node, reading, depth)}</div>"
    fallback = extension.find(f"{_AC}adf-fallback")
    return f"<div>{_inner(fallback, reading, depth)}</div>" if fallback is not None else ""


_AROUND = {f"{_AC}{name}" for name in ("adf-node", "adf-content", "layout", "layout-section", "layout-cell", "rich-text-body")}
_SPECIAL: dict[str, Callable[[etree._Element, Reading, int], str]] = {
    f"{_AC}link": _link,
    f"{_AC}image": _image,
    f"{_AC}task-list": _tasks,
    f"{_AC}task": _task,
    f"{_AC}emoticon": _emoticon,
    f"{_AC}adf-extension": _extension,
    "time": _time,
}
