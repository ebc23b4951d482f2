"""MEDLINE/PubMed citation markup to readable text: titles, abstracts with their inline tags and formulas, and dates.

Pure functions over elements of NLM's PubMed DTD (https://dtd.nlm.nih.gov/ncbi/pubmed/).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

#: Labels that stand for "this part has no label".
NO_LABEL = frozenset({"", "UNASSIGNED", "UNLABELLED", "UNLABELED"})
#: What NLM puts where a title would be: the title exists in no English form (or was not keyed yet).
PLACEHOLDER_TITLE = re.compile(r"\[?(?:Not Available|In Process Citation)\]?\.?", re.IGNORECASE)
#: MEDLINE's mark of the 1970s and 1980s on a title that its author translated.
AUTHORS_TRANSLATION = re.compile(r"\s*\(author's transl\)\s*(?=\.?$)", re.IGNORECASE)
#: An abstract that is only a notice. Publishers' wordings vary in the tail ("This article is available as HTML full
#: text and PDF"), so only the beginning is fixed; errata carry but a pointer to the article that they correct.
PLACEHOLDER_ABSTRACT = re.compile(
    r"(?:an abstract is (?:unavailable|not available)\b.{0,120}"
    r"|(?:no abstract|abstract not) (?:is )?available\.?"
    r"|(?:\[this (?:corrects|retracts) the article\b[^\]]{0,200}\]\s*)+\.?)",
    re.IGNORECASE,
)
#: MEDLINE cut abstracts at 250 words (400 for long articles, later 4,096 characters) until 2000, and said so.
TRUNCATED = re.compile(r"\s*\(ABSTRACT TRUNCATED(?: AT \d+ (?:WORDS|CHARACTERS))?\)\s*$", re.IGNORECASE)
#: A publisher's copyright line that is keyed into the abstract itself, as in "(PsycInfo Database Record (c) 2021 APA,
#: all rights reserved)." at the end of most abstracts of the American Psychological Association.
COPYRIGHT_LINE = re.compile(
    r"\s*(\([^()]{0,100}(?:\(c\)|©)[^()]{0,100}\ball rights reserved\.?\))\.?\s*$", re.IGNORECASE
)
#: A superscript or subscript that would be read as more of the number before it: 10<sup>6</sup>, 10<sup>-3</sup>,
#: 2<sup>n</sup>; but neither CD4<sup>+</sup> nor 19<sup>th</sup>.
RUNS_ON = re.compile(r"[+\-−–]?(?:\d|[a-z](?![a-z]))", re.IGNORECASE)
#: A script that needs no braces: 6, -3, n, ij.
SIMPLE_SCRIPT = re.compile(r"[+\-−–]?(?:\d+(?:\.\d+)?|\w)")
#: Operators of MathML that nobody sees: function application, invisible times, comma and plus.
INVISIBLE = dict.fromkeys(range(0x2061, 0x2065), "")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
#: "1998 Dec-1999 Jan", "1975 Aug 15-31", "2000 Spring": the beginning of a span is its date.
MEDLINE_DATE = re.compile(r"\b((?:1[5-9]|20)\d\d)\b(?: ([A-Za-z]{3})[a-z]*\b(?: (\d{1,2})\b)?)?", re.ASCII)
#: Tokens of MathML, whose own white space is layout.
MATH_TOKENS = frozenset({"mi", "mn", "mo", "ms", "mtext"})


class Title(NamedTuple):
    """A readable title.

    ``translated`` when it is NLM's English for a title in another language, ``vernacular`` when it is the latter.
    """

    text: str
    translated: bool = False
    vernacular: bool = False


class Abstract(NamedTuple):
    """A readable abstract in paragraphs.

    ``truncated`` when MEDLINE kept its beginning only; ``copyright`` is a copyright line that was taken out of it.
    """

    text: str
    truncated: bool = False
    copyright: str = ""


def fold(text: str) -> str:
    """Return ``text`` with every run of white space (thin and no-break spaces too) as one space."""
    return " ".join(text.split())


def inline(element: Any) -> str:
    """Return the readable text of mixed content on one line.

    Tags add no space around them. Superscripts and subscripts stay plain (m<sup>2</sup> is "m2", CO<sub>2</sub>
    "CO2"), except where plain text would run digits together into another number: 10<sup>6</sup> is "10^6".
    """
    return fold(_mixed(element))


def title(article_title: Any, vernacular_title: Any) -> Title:
    """Return the title from ``ArticleTitle`` and ``VernacularTitle`` (either may be None); its text is "" without one.

    NLM sets a translated title in [brackets], which go; "[Not Available]." gives way to the vernacular title.
    """
    text = "" if article_title is None else inline(article_title)
    if not text or PLACEHOLDER_TITLE.fullmatch(text):
        text = "" if vernacular_title is None else inline(vernacular_title)
        return Title(_without_brackets(text) or text, vernacular=bool(text))
    stripped = _without_brackets(text)
    return Title(AUTHORS_TRANSLATION.sub("", stripped), translated=True) if stripped else Title(text)


def abstract(parts: Iterable[Any]) -> Abstract:
    """Return the abstract from its ``AbstractText`` parts, labelled ones as ``LABEL: text``, parted by blank lines.

    Its text is "" where there is none, or only a notice that there is none.
    """
    paragraphs: list[str] = []
    truncated, copyright_line = False, ""
    for part in parts:
        text, cut = TRUNCATED.subn("", inline(part))
        truncated |= bool(cut)
        if found := COPYRIGHT_LINE.search(text):
            text, copyright_line = text[: found.start()], found[1]
        if not text or PLACEHOLDER_ABSTRACT.fullmatch(text):
            continue
        label = fold(part.get("Label", "")).rstrip(":")
        if label.upper() not in NO_LABEL and not text.upper().startswith(f"{label.upper()}:"):
            text = f"{label}: {text}"
        paragraphs.append(text)
    return Abstract("\n\n".join(paragraphs), truncated, copyright_line)


def published(dates: Iterable[Any]) -> str:
    """Return the first of the dates (``PubDate``, ``ArticleDate``) as ISO 8601, as exactly as it is known; "" for none.

    "1975" and "1975-09" may be the same date: the more exact one is returned, as far as they agree.
    """
    known = sorted(iso for element in dates if (iso := _iso(element)))
    same = [iso for iso in known if iso.startswith(known[0])]
    return max(same, key=len, default="")


def _iso(element: Any) -> str:
    year, month, day = (fold(element.findtext(name, "")) for name in ("Year", "Month", "Day"))
    if not year and (found := MEDLINE_DATE.search(fold(element.findtext("MedlineDate", "")))):
        year, month, day = found[1], found[2] or "", found[3] or ""
    if not re.fullmatch(r"[0-9]{4}", year):
        return ""
    name = month[:3].lower()
    number = MONTHS.index(name) + 1 if name in MONTHS else int(month) if month.isdecimal() else 0
    if not 1 <= number <= 12:
        return year
    try:
        return date(int(year), number, int(day)).isoformat()
    except ValueError:  # no day, or one that the month does not have
        return f"{year}-{number:02}"


def _without_brackets(text: str) -> str:
    """Return the inside of a text that stands in one pair of brackets as a whole, else ""."""
    bare = text.removesuffix(".").rstrip()
    if not (bare.startswith("[") and bare.endswith("]")):
        return ""
    depth = 0
    for position, character in enumerate(bare):
        depth += (character == "[") - (character == "]")
        if depth == 0 and position < len(bare) - 1:
            return ""  # as in "[18F]FDG uptake in mice [corrected]."
    inside = bare[1:-1].strip()
    ends = inside.endswith((".", "?", "!"))
    return inside if ends or not inside or not text.endswith(".") else f"{inside}."


def _local(element: Any) -> str:
    """Return a tag without its namespace; "" for comments and entity references, whose text is never read."""
    tag = element.tag
    return str(tag).rpartition("}")[2] if isinstance(tag, str) else ""


def _mixed(element: Any) -> str:
    text: str = element.text or ""
    for child in element:
        tag, tail = _local(child), child.tail or ""
        if tag in ("sup", "sub"):
            text += _script("^" if tag == "sup" else "_", text, _mixed(child), tail)
        elif tag == "math":
            text += fold(_math(child))
        elif tag:
            text += _mixed(child)
        text += tail
    return text


def _script(mark: str, before: str, script: str, after: str) -> str:
    """Return a script, marked where plain text would make another number with what is before or after it."""
    if not script.strip():
        return script
    joins_before = before[-1:].isdigit() and RUNS_ON.match(script)
    joins_after = script[-1].isdigit() and after[:1].isdigit()
    return _marked(mark, script, after) if joins_before or joins_after else script


def _marked(mark: str, script: str, after: str = "") -> str:
    script = script.strip()
    if SIMPLE_SCRIPT.fullmatch(script) and not after[:1].isalnum():
        return mark + script
    return f"{mark}{{{script}}}"


def _math(element: Any) -> str:
    """Return MathML on one line in plain notation: x^2, a_i, (a+b)/c, √(x); annotations (TeX, images) stay out."""
    tag = _local(element)
    if tag in MATH_TOKENS:
        token = "".join(element.itertext()).translate(INVISIBLE)
        return fold(token) or (" " if token else "")
    if tag == "mspace":
        return " "
    if tag in ("", "annotation", "annotation-xml", "none", "maligngroup", "malignmark"):
        return ""
    if tag == "mmultiscripts":
        return _multiscripts(list(element))
    return _composed(tag, [_math(child) for child in element], element)


def _composed(tag: str, parts: list[str], element: Any) -> str:
    match tag, parts:
        case "msup", [base, above]:
            return base + _marked("^", above)
        case (("msub" | "munder"), [base, below]):
            return base + _marked("_", below)
        case (("msubsup" | "munderover"), [base, below, above]):
            return base + _marked("_", below) + _marked("^", above)
        case "mfrac", [over, under]:
            return f"{_grouped(over)}/{_grouped(under)}"
        case "mroot", [base, degree]:
            return f"{_grouped(base)}^(1/{degree})"
        case "msqrt", _:
            return f"√{_grouped(''.join(parts))}"
        case "mfenced", _:
            separator = element.get("separators", ",").strip()[:1]
            return f"{element.get('open', '(')}{separator.join(parts)}{element.get('close', ')')}"
        case "mtable", _:
            return "; ".join(parts)
        case (("mtr" | "mlabeledtr"), _):
            return " ".join(parts)
    return "".join(parts)


def _grouped(text: str) -> str:
    return text if re.fullmatch(r"\w*", text) else f"({text})"


def _multiscripts(children: list[Any]) -> str:
    """Return a base with its scripts; those before it stay plain, as in isotopes (3He)."""
    if not children:
        return ""
    names = [_local(child) for child in children]
    middle = names.index("mprescripts") if "mprescripts" in names else len(children)
    base = _math(children[0])
    for number, child in enumerate(children[1:middle]):
        if script := _math(child):
            base += _marked("_^"[number % 2], script)
    return "".join(_math(child) for child in children[middle + 1 :]) + base
