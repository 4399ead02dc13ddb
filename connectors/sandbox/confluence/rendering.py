"""Storage format as people see it (`view` and its like), and as the new editor's document (ADF), roughly."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING

from lxml import etree

from connectors.sandbox.confluence.records import Account, Item

if TYPE_CHECKING:
    from connectors.sandbox.confluence.world import World
    from connectors.sandbox.wire import JsonObject

AC, RI = "{urn:ac}", "{urn:ri}"
NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
PLAIN = ("amp", "lt", "gt", "quot", "apos")
DEEPEST = 4  # pages included by included pages


def tree(body: str) -> etree._Element:
    """Raises lxml's XMLSyntaxError for what is no storage format."""
    text = NAMED.sub(lambda found: found[0] if found[1] in PLAIN else html.unescape(found[0]), body)
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.fromstring(f'<root xmlns:ac="urn:ac" xmlns:ri="urn:ri">{text}</root>'.encode(), parser)


def rendered(world: World, item: Item, account: Account, body: str, depth: int = 0) -> str:
    try:
        return "".join(_inside(world, item, account, tree(body), depth))
    except etree.XMLSyntaxError:
        return f"<p>{html.escape(body)}</p>"


def _inside(world: World, item: Item, account: Account, node: etree._Element, depth: int) -> list[str]:
    told = [html.escape(node.text or "", quote=False)]
    for child in node:
        if isinstance(child.tag, str):
            told.append(_element(world, item, account, child, depth))
        told.append(html.escape(child.tail or "", quote=False))
    return told


def _element(world: World, item: Item, account: Account, node: etree._Element, depth: int) -> str:
    name = str(node.tag)
    if name == f"{AC}structured-macro":
        return _macro(world, item, account, node, depth)
    if name in (f"{AC}placeholder", f"{AC}parameter", f"{AC}adf-fallback", f"{AC}task-id", f"{AC}task-status", f"{AC}adf-attribute"):
        return ""
    if name == f"{AC}link":
        return _link(world, item, account, node, depth)
    if name == f"{AC}emoticon":
        return html.escape(node.get(f"{AC}emoji-fallback", ""))
    if name == f"{AC}image":
        return f'<img alt="{html.escape(node.get(f"{AC}alt", ""))}" />'
    if name == "time":
        return f'<time datetime="{node.get("datetime")}">{node.get("datetime")}</time>'
    inner = "".join(_inside(world, item, account, node, depth))
    if name.startswith("{"):
        inline = name in (f"{AC}inline-comment-marker", f"{AC}link-body", f"{AC}plain-text-link-body")
        return inner if inline else f"<div>{inner}</div>"
    kept = "".join(f' {key}="{html.escape(value)}"' for key, value in node.items() if not key.startswith("{"))
    return f"<{name}{kept}>{inner}</{name}>"


def _macro(world: World, item: Item, account: Account, node: etree._Element, depth: int) -> str:
    name = node.get(f"{AC}name", "")
    given = {child.get(f"{AC}name", ""): "".join(child.itertext()) for child in node.findall(f"{AC}parameter")}
    if name in ("include", "excerpt-include"):
        return _included(world, item, account, node, depth)
    if name == "children":
        below = [other for other in world.wiki.items.values() if other.parent == item.id and other.status == "current"]
        rows = [f"<li>{html.escape(other.title)}</li>" for other in below if world.wiki.admits(other, account)]
        return f"<ul>{''.join(rows)}</ul>"
    if name in ("status", "anchor", "toc"):
        return f"<span>{html.escape(given.get('title', ''))}</span>" if name == "status" else ""
    code = node.find(f"{AC}plain-text-body")
    if code is not None:
        return f"<pre>{html.escape(''.join(code.itertext()), quote=False)}</pre>"
    rich = node.find(f"{AC}rich-text-body")
    title = f"<p><strong>{html.escape(given['title'])}</strong></p>" if "title" in given else ""
    text = "" if rich is None else "".join(_inside(world, item, account, rich, depth))
    return f'<div class="confluence-{html.escape(name)}">{title}{text}</div>'


def _included(world: World, item: Item, account: Account, node: etree._Element, depth: int) -> str:
    name = node.get(f"{AC}name", "")
    link = node.find(f".//{RI}page")
    if link is None or depth >= DEEPEST:
        return ""
    title, key = link.get(f"{RI}content-title"), link.get(f"{RI}space-key", item.space)
    for other in world.wiki.items.values():
        if other.title == title and other.space == key and other.status == "current" and world.wiki.admits(other, account):
            if name == "include":
                return rendered(world, other, account, other.last.body, depth + 1)
            found = tree(other.last.body).xpath("//ac:structured-macro[@ac:name='excerpt']/ac:rich-text-body", namespaces={"ac": "urn:ac"})
            return "".join(_inside(world, other, account, found[0], depth + 1)) if found else ""
    return '<div class="error">Unable to render the included page.</div>'


def _link(world: World, item: Item, account: Account, node: etree._Element, depth: int) -> str:
    for child in node:
        if child.tag in (f"{AC}link-body", f"{AC}plain-text-link-body"):
            return f"<a>{''.join(_inside(world, item, account, child, depth))}</a>"
    for child in node:
        if child.tag == f"{RI}user":
            known = {child.get(f"{RI}account-id"), child.get(f"{RI}userkey")}
            named = [other.name for other in world.wiki.accounts.values() if {other.id, other.key} & known]
            return f"<a>@{html.escape(named[0] if named else 'Former user')}</a>"
        title = child.get(f"{RI}content-title") or child.get(f"{RI}filename") or ""
        return f"<a>{html.escape(title)}</a>"
    return ""


def adf(body: str) -> str:
    """The document as JSON within text: headings and paragraphs of plain text, which is all that is asked of it here."""
    try:
        blocks = [_block(node) for node in tree(body) if isinstance(node.tag, str)]
    except etree.XMLSyntaxError:
        blocks = [{"type": "paragraph", "content": [{"type": "text", "text": body}]}]
    return json.dumps({"type": "doc", "version": 1, "content": blocks}, ensure_ascii=False)


def _block(node: etree._Element) -> JsonObject:
    text = " ".join("".join(node.itertext()).split())
    content = [{"type": "text", "text": text}] if text else []
    heading = re.fullmatch(r"h([1-6])", str(node.tag))
    if heading:
        return {"type": "heading", "attrs": {"level": int(heading[1])}, "content": content}
    return {"type": "paragraph", "content": content}
