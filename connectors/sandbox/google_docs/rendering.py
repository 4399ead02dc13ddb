"""Blocks as the Docs API tells them: structural elements with indices in UTF-16 units, lists, footnotes and inline objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from zlib import crc32

from connectors.sandbox.google_docs.notation import Block, Cell, Contents, Paragraph, Piece, Table, Text
from connectors.sandbox.wire import JsonObject

View = Literal["SUGGESTIONS_INLINE", "PREVIEW_SUGGESTIONS_ACCEPTED", "PREVIEW_WITHOUT_SUGGESTIONS"]
MONOSPACE = {"weightedFontFamily": {"fontFamily": "Roboto Mono", "weight": 400}}
PLACEHOLDER = "\ue907"  # stands in a run where the editor shows a building block
GLYPHS: dict[str, JsonObject] = {
    "bullet": {"bulletAlignment": "START", "glyphSymbol": "●", "glyphFormat": "%0"},
    "number": {"bulletAlignment": "START", "glyphType": "DECIMAL", "glyphFormat": "%0.", "startNumber": 1},
    "check": {"bulletAlignment": "START", "glyphType": "GLYPH_TYPE_UNSPECIFIED", "glyphFormat": "%0"},
}


def named(kind: str, text: str) -> str:
    """A stable id in the vendor's style: "h.1a2b3c", "kix.1a2b3c"."""
    return f"{kind}.{crc32(text.encode()):08x}"


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@dataclass(slots=True)
class Tab:
    """One tab's content being rendered; `tab_id` is in links to headings where all tabs are asked for."""

    text: Text
    view: View
    seed: str
    tab_id: str | None
    lists: JsonObject = field(default_factory=dict)
    objects: JsonObject = field(default_factory=dict)
    choices: JsonObject = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    at: int = 0

    # --- one segment ---

    def segment(self, blocks: Sequence[Block]) -> list[JsonObject]:
        """The blocks from index 0, as in a footnote or a header."""
        kept, self.at = self.at, 0
        content = [self.block(block) for block in blocks]
        self.at = kept
        return content

    def spanned(self, start: int, **element: JsonObject) -> JsonObject:
        """`startIndex` is left out where it is 0."""
        return {**({"startIndex": start} if start else {}), "endIndex": self.at, **element}

    def block(self, block: Block) -> JsonObject:
        if isinstance(block, Table):
            return self.table(block)
        if isinstance(block, Contents):
            return self.contents()
        return self.paragraph(block)

    # --- paragraphs ---

    def paragraph(self, paragraph: Paragraph) -> JsonObject:
        start = self.at
        elements = [shown for piece in paragraph.pieces if (shown := self.element(piece)) is not None]
        before, self.at = self.at, self.at + 1
        last = elements[-1].get("textRun") if elements else None
        if last is not None and "suggestedInsertionIds" not in last and "suggestedDeletionIds" not in last:
            last["content"] += "\n"
            elements[-1]["endIndex"] = self.at
        else:
            elements.append(self.spanned(before, textRun={"content": "\n", "textStyle": {}}))
        style: JsonObject = {"namedStyleType": paragraph.style, "direction": "LEFT_TO_RIGHT"}
        if paragraph.style.startswith("HEADING") and paragraph.text.strip():
            style["headingId"] = named("h", paragraph.text)
        told: JsonObject = {"elements": elements, "paragraphStyle": style}
        if paragraph.listed:
            told["bullet"] = self.bullet(*paragraph.listed)
        return self.spanned(start, paragraph=told)

    def bullet(self, number: int, level: int, kind: str) -> JsonObject:
        list_id = named("kix", f"{self.seed} list {number}")
        levels = self.lists.setdefault(list_id, {"listProperties": {"nestingLevels": [dict(GLYPHS[kind]) for _ in range(9)]}})
        levels["listProperties"]["nestingLevels"][level] = {
            **GLYPHS[kind],
            "glyphFormat": GLYPHS[kind]["glyphFormat"].replace("0", str(level)),
        }
        return {"listId": list_id, "textStyle": {}, **({"nestingLevel": level} if level else {})}

    def element(self, piece: Piece) -> JsonObject | None:
        """None where the view leaves it out."""
        proposal: JsonObject = {}
        if piece.proposal and self.view == "SUGGESTIONS_INLINE":
            key = "suggestedInsertionIds" if piece.proposal == "inserted" else "suggestedDeletionIds"
            proposal = {key: [named("suggest", f"{self.seed} {piece.text}")]}
        elif piece.proposal == ("inserted" if self.view == "PREVIEW_WITHOUT_SUGGESTIONS" else "deleted"):
            return None
        start = self.at
        self.at += 1 if piece.chip else units(piece.text)
        style: JsonObject = {mark: True for mark in sorted(piece.marks) if mark != "code"}
        style |= MONOSPACE if "code" in piece.marks else {}
        style |= {"link": self.link(piece.link), "underline": True} if piece.link else {}
        if piece.chip is None:
            return self.spanned(start, textRun={"content": piece.text, "textStyle": style, **proposal})
        name, told = self.chip(piece.chip, [part.strip() for part in piece.text.split("|")])
        bare = name == "equation"  # has no style
        return self.spanned(start, **{name: {**told, **({} if bare else {"textStyle": style}), **proposal}})

    def link(self, target: str) -> JsonObject:
        if not target.startswith("#"):
            return {"url": target}
        heading = named("h", target[1:])
        return {"heading": {"id": heading, "tabId": self.tab_id}} if self.tab_id else {"headingId": heading}

    def chip(self, kind: str, of: list[str]) -> tuple[str, JsonObject]:
        """The element's name and what it says."""
        seed = f"{self.seed} {kind} {of}"
        if kind == "person":
            name, _, email = of[0].partition(" <")
            return "person", {"personId": named("kix", seed), "personProperties": {"name": name, "email": email.rstrip(">")}}
        if kind == "date":
            told = {"timestamp": f"{of[0]}T12:00:00Z", "dateFormat": "DATE_FORMAT_MONTH_DAY_YEAR_ABBREVIATED", "displayText": of[-1]}
            return "dateElement", {"dateId": named("kix", seed), "dateElementProperties": {**told, "locale": "en", "timeZoneId": "etc/UTC"}}
        if kind == "link":
            return "richLink", {
                "richLinkId": named("kix", seed),
                "richLinkProperties": dict(zip(("title", "uri", "mimeType"), of, strict=False)),
            }
        if kind == "image":
            return "inlineObjectElement", {"inlineObjectId": self.image(named("kix", seed), of)}
        if kind == "dropdown":
            return "dropdown", self.dropdown(named("kix", seed), of[0])
        if kind == "footnote":
            number = self.notes.setdefault(of[0], str(len(self.notes) + 1))
            return "footnoteReference", {"footnoteId": named("kix", f"{self.seed} note {of[0]}"), "footnoteNumber": number}
        if kind == "page number":
            return "autoText", {"type": "PAGE_NUMBER"}
        return {"rule": "horizontalRule", "page break": "pageBreak", "equation": "equation"}[kind], {}

    def image(self, object_id: str, of: list[str]) -> str:
        uris = {
            "contentUri": f"https://lh7-rt.googleusercontent.com/docsz/{object_id}?key=signed",
            **({"sourceUri": of[1]} if of[1:] else {}),
        }
        embedded = {"description": of[0], "imageProperties": uris, "size": {"height": {"magnitude": 90, "unit": "PT"}}}
        self.objects[object_id] = {"objectId": object_id, "inlineObjectProperties": {"embeddedObject": embedded}}
        return object_id

    def dropdown(self, dropdown_id: str, value: str) -> JsonObject:
        definition, option = f"{dropdown_id}.d", f"{dropdown_id}.o"
        offered = {"title": "Status", "options": [{"optionId": option, "displayValue": value}]}
        self.choices[definition] = {"dropdownDefinitionId": definition, "dropdownDefinitionProperties": offered}
        chosen = {"dropdownDefinitionId": definition, "selectedOptionId": option, "displayValue": value}
        return {"dropdownId": dropdown_id, "dropdownProperties": chosen}

    # --- tables ---

    def table(self, table: Table) -> JsonObject:
        start, self.at = self.at, self.at + 1
        rows = [self.row(row) for row in table.rows]
        self.at += 1
        told = {"rows": len(rows), "columns": max(len(row) for row in table.rows), "tableRows": rows, "tableStyle": {}}
        return self.spanned(start, table=told)

    def row(self, cells: Sequence[Cell]) -> JsonObject:
        start, self.at = self.at, self.at + 1
        told = [self.cell(cell) for cell in cells]
        return {"startIndex": start, "endIndex": self.at, "tableCells": told, "tableRowStyle": {}}

    def cell(self, cell: Cell) -> JsonObject:
        start, self.at = self.at, self.at + 1
        content = [self.paragraph(paragraph) for paragraph in cell.paragraphs]
        style = {"rowSpan": cell.rows, "columnSpan": cell.columns}
        return {"startIndex": start, "endIndex": self.at, "content": content, "tableCellStyle": style}

    def contents(self) -> JsonObject:
        start, self.at = self.at, self.at + 1
        headings = [block for block in self.text.blocks if isinstance(block, Paragraph) and block.style.startswith("HEADING")]
        lines = [Paragraph((Piece(heading.text, link=f"#{heading.text}"),)) for heading in headings]
        content = [self.paragraph(line) for line in lines or [Paragraph()]]
        self.at += 1
        return self.spanned(start, tableOfContents={"content": content})


def content_of(text: Text, view: View, seed: str, tab_id: str | None) -> JsonObject:
    """A DocumentTab or, without `tab_id`, the same members as a Document has them for its first tab."""
    tab = Tab(text, view, seed, tab_id, at=1)
    section = {"endIndex": 1, "sectionBreak": {"sectionStyle": {"sectionType": "CONTINUOUS", "contentDirection": "LEFT_TO_RIGHT"}}}
    body = [section, *(tab.block(block) for block in text.blocks or (Paragraph(),))]
    footnotes = {}
    for name in list(tab.notes):
        note_id = named("kix", f"{seed} note {name}")
        footnotes[note_id] = {"footnoteId": note_id, "content": tab.segment([text.footnotes.get(name, Paragraph())])}
    told: JsonObject = {"body": {"content": body}, "documentStyle": {}, "namedStyles": {"styles": [{"namedStyleType": "NORMAL_TEXT"}]}}
    for edge, paragraph in (("header", text.header), ("footer", text.footer)):
        if paragraph:
            edge_id = named("kix", f"{seed} {edge}")
            told[f"{edge}s"] = {edge_id: {f"{edge}Id": edge_id, "content": tab.segment([paragraph])}}
            told["documentStyle"][f"default{edge.title()}Id"] = edge_id
    filled = {"footnotes": footnotes, "lists": tab.lists, "inlineObjects": tab.objects}
    filled |= {"dropdownDefinitions": tab.choices} if tab_id else {}
    return told | {name: members for name, members in filled.items() if members}
