"""What the inline templates of Wikipedia show: foreign words, signs, dressed text, quotations, and (in ``measures``) units.

Templates are programs on the wiki and are not run here. A name in these tables stands for words that a sentence needs
(https://en.wikipedia.org/wiki/Category:Inline_templates); every other template is apparatus and goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sources.extract.wikitext import measures
from sources.extract.wikitext.measures import Named
from sources.extract.wikitext.names import words

#: A template's name is shorter than this (MediaWiki's titles end at 255 bytes).
MAX_NAME = 255

#: Templates that stand for one sign, mostly because wikitext or keyboards lack it.
SIGNS: Mapping[str, str] = {
    **dict.fromkeys(("ndash", "en dash"), "–"),
    **dict.fromkeys(("snd", "snds", "spnd", "spaced ndash", "spaced en dash", "nsndash", "sndash"), " – "),
    **dict.fromkeys(("mdash", "em dash", "mdashb"), "—"),
    **dict.fromkeys(("smd", "spaced mdash", "spaced em dash", "--"), " — "),
    **dict.fromkeys(("nbsp", "space", "spaces", "thinsp", "thin space", "hairsp", "hair space", "nnbsp", "pad"), " "),
    **dict.fromkeys(("·", "middot", "dot", "•", "bull", "bullet", "bold middot"), " · "),
    **dict.fromkeys(("'", "apostrophe"), "'"),
    **dict.fromkeys(("!", "pipe"), "|"),
    "'s": "'s", "' \"": "'\"", "\" '": "\"'", '-"': '"', "=": "=", "\\": " / ", "(": "{", ")": "}", "((": "{{", "))": "}}",
    "pi": "π", "tau": "τ", "hbar": "ħ", "okina": "ʻ", "hamza": "ʾ", "ayin": "ʿ", "dagger": "†", "double-dagger": "‡",
    "extinct": "†", "eqm": "⇌", "times": "×", "minus": "−", "pm": "±", "sup2": "²", "sup3": "³", "ellipsis": "…", "...": "…",
    "numero": "№", "prime": "′", "bce": "BCE", "bc": "BC", "ce": "CE", "ad": "AD", "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.replace("\n", "|").split("|"))


#: Templates that dress their first argument: font, size, script, line breaking, anchors, columns.
FIRST = _names(
    """nowrap|nobr|nobreak|no wrap|small|smaller|big|bigger|large|larger|midsize|nobold|noitalic|no bold|no italic|normal
    em|strong|bold|italics|underline|u|s|strikethrough|overline|overset|small caps|smallcaps|sc|sc1|sc2|mono|monospace|code
    tt|kbd|samp|var|mvar|math|bigmath|abbr|tooltip|abbrv|vanchor|visible anchor|linktext|unicode|polytonic|script/hebrew
    script/arabic|script/greek|nastaliq|nq|hebrew|bdi|not a typo|proper name|as written|center|centre|vr|angbr ipa|ipa
    ipaslink|ipa link|ipablink|longitem|block indent|indent|chem2|format price|lc
    ucfirst|lcfirst|nts|highlight|'\"|flag|flagu|flagcountry|flag country|country|romain|marriage|dfn|term|format link|vol.
    gray|grey|native phrase|key|uc|hover title|wikt-inline|nombre romain"""
)
#: Templates whose last argument is the text: a colour, a language or a size comes first.
LAST = _names(
    """lang|transl|transliteration|translit|color|colour|font color|fontcolor|resize|size|font|script|rtl-lang|wikt-lang
    native name|align|audio|audio-ipa|pronunciation|langx|section link text|sort|hs|langue|text color|bibleref|bibleverse"""
)
#: Quotations that stand in the text as blocks.
QUOTES = _names(
    """quote|blockquote|quotation|cquote|bquote|poemquote|poem quote|verse|zitat|citation bloc|cita|citazione|quote frame"""
)
#: Lists whose items are arguments, one a line.
LISTS = _names("ubl|ublist|unbulleted list|bulleted list|blist|ulist|ordered list|vunblist|collapsible list")
#: Lists whose items are arguments, in one line.
LISTS_IN_LINE = _names("hlist|horizontal list|flowlist|cslist")
#: Templates around a block of lines.
BLOCKS = _names("plainlist|plain list|flatlist|columns-list|bulleted-list|poem|col-list")
#: Ships: prefix, name, and a pennant number.
SHIP_PREFIXES = _names("uss|hms|hmas|hmcs|ss|mv|rms|usns|uscgc|sms|ins|rfa|hmnzs|usrc|ps|hmt|css|my|ms|sy")

#: What a ``{{lang-xx}}`` puts before the word; a code that is not here gives the word alone.
LANGUAGE_NAMES: Mapping[str, str] = {
    "af": "Afrikaans", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian", "ber": "Berber", "bg": "Bulgarian",
    "bn": "Bengali", "bs": "Bosnian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "eo": "Esperanto", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "ga": "Irish", "gd": "Scottish Gaelic", "gl": "Galician", "grc": "Ancient Greek",
    "grc-gre": "Greek", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian",
    "id": "Indonesian", "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh",
    "ko": "Korean", "ku": "Kurdish", "la": "Latin", "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian", "ms": "Malay",
    "mt": "Maltese", "nl": "Dutch", "no": "Norwegian", "pa": "Punjabi", "pl": "Polish", "ps": "Pashto", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "rus": "Russian", "sa": "Sanskrit", "sk": "Slovak", "sl": "Slovene",
    "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai",
    "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese",
    "yi": "Yiddish", "zh": "Chinese",
}  # fmt: skip

#: Words in {{IPAc-en}} and {{IPA-xx}} that are not sounds.
_IPA_WORDS = words("lang local label pron us uk au ca nz ie also or uk: us: english ipa all small")


def split_name(head: str) -> tuple[str, str, str]:
    """Return a template's name as the tables have it, ":" for a parser function, and that function's argument."""
    name = re.split(r"[{}\[\]<>\x01-\x04]", head, maxsplit=1)[0] if not head.strip().startswith(("(", ")")) else head
    name, colon, inline = name.partition(":")
    if name.strip().lower() == "template":
        name, colon, inline = inline, "", ""
    return " ".join(name.replace("_", " ").split()).lower(), colon, inline.strip()


def is_known(name: str) -> bool:
    """Return whether ``expand`` would give text for a template of this name."""
    return (
        any(name in table for table in (SIGNS, FIRST, LAST, FUNCTIONS, QUOTES, LISTS, LISTS_IN_LINE, BLOCKS, SHIP_PREFIXES))
        or name.startswith(("lang-", "ipa-", "ipac-"))
    )  # fmt: skip


def expand(name: str, args: list[str], named: Named) -> str:
    """Return what the template shows, "" for nothing; arguments named by number join the positional ones."""
    for number in range(1, 10):
        if str(number) in named and len(args) < number:
            args = [*args, *[""] * (number - 1 - len(args)), named[str(number)]]
    if name in FUNCTIONS:
        return FUNCTIONS[name](args, named)
    if name in SIGNS:
        return SIGNS[name]
    if name in FIRST:
        return args[0] if args else next((named[key] for key in ("text", "content") if key in named), "")
    if name in LAST:
        return next((arg for arg in reversed(args) if arg), named.get("text", ""))
    if name in QUOTES:
        return _quote(args, named)
    if name in LISTS_IN_LINE:
        return " · ".join(arg for arg in args if arg)
    if name in LISTS:
        return "\n" + "".join(f"\n* {arg}" for arg in args if arg) + "\n\n"
    if name in BLOCKS:
        return "\n" + (args[-1] if args else "") + "\n"
    if name in SHIP_PREFIXES:
        return _ship([name.upper(), *args], named)
    return _pronunciation(name, args) if name.startswith("ipa") else _language(name.partition("-")[2], args, named)


def _language(code: str, args: list[str], named: Named) -> str:
    word = args[0] if args else ""
    if not word:
        return ""
    extra = [part for part in (*args[1:2], named.get("translit", ""), named.get("p", "")) if part]
    word = ", ".join([word, *extra])
    return f"{LANGUAGE_NAMES[code]}: {word}" if code in LANGUAGE_NAMES and named.get("label") != "none" else word


def _pronunciation(name: str, args: list[str]) -> str:
    sounds = [arg for arg in args if arg and arg.lower() not in _IPA_WORDS and not re.search(r"\.og[ga]$", arg, re.I)]
    if name.startswith("ipac-"):
        return f"/{''.join(sounds).replace('_', ' ')}/" if sounds else ""
    return f"[{sounds[0]}]" if sounds else ""


def _quote(args: list[str], named: Named) -> str:
    text = named.get("text") or named.get("quote") or (args[0] if args else "")
    keys = ("author", "sign", "by", "title", "source", "cite")
    source = [named[key] for key in keys if named.get(key)] or [arg for arg in args[1:3] if arg]
    return f"\n\n{text}\n\n" + (f"— {', '.join(source)}\n\n" if source and text else "")


def _ship(args: list[str], named: Named) -> str:
    return " ".join(arg for arg in args[:2] if arg) + (f" ({args[2]})" if len(args) > 2 and args[2] else "")


def _nihongo(args: list[str], named: Named) -> str:
    """``{{nihongo|English|kanji|romaji|extra}}``: "English (kanji, romaji, extra)"."""
    english, *rest = [*args, ""]
    inside = ", ".join(part for part in (*rest[:3], named.get("extra", "")) if part)
    if not english:
        return inside
    return f"{english} ({inside})" if inside else english


def _chinese(args: list[str], named: Named) -> str:
    names = (
        ("c", "Chinese"),
        ("s", "simplified Chinese"),
        ("t", "traditional Chinese"),
        ("p", "pinyin"),
        ("w", "Wade–Giles"),
    )
    return "; ".join(f"{label}: {named[key]}" for key, label in names if named.get(key))


def _interlanguage(args: list[str], named: Named) -> str:
    return named.get("lt") or (args[0] if args else named.get("en", ""))


def _section_link(args: list[str], named: Named) -> str:
    return " § ".join(arg for arg in args[:2] if arg)


def _join(mark: str) -> Callable[[list[str], Named], str]:
    return lambda args, named: mark.join(arg for arg in args if arg)


def _wrap(before: str, after: str = "") -> Callable[[list[str], Named], str]:
    return lambda args, named: before + args[0] + after if args and args[0] else ""


def _respell(args: list[str], named: Named) -> str:
    return "-".join(arg for arg in args if arg).replace("-_-", " ")


def _sic(args: list[str], named: Named) -> str:
    word = "".join(args[:2])
    return word if named.get("hide") else f"{word} [sic]".strip()


#: Templates with a form of their own.
FUNCTIONS: Mapping[str, Callable[[list[str], Named], str]] = {
    **dict.fromkeys(("convert", "cvt", "conv", "convert/sandbox", "unité", "unidad", "unité/2"), measures.convert),
    **dict.fromkeys(("val", "nombre"), measures.value),
    **dict.fromkeys(("frac", "fraction", "sfrac", "fract", "tfrac"), measures.fraction),
    **dict.fromkeys(("circa", "c.", "ca", "ca.", "approx"), measures.circa),
    **dict.fromkeys(("floruit", "fl.", "fl"), lambda args, named: measures.span_of_years("fl.", args)),
    **dict.fromkeys(("reign", "r."), lambda args, named: measures.span_of_years("r.", args)),
    **dict.fromkeys(
        ("start date", "start date and age", "end date", "end date and age", "birth date", "birth date and age", "dts",
         "birth-date", "birth-date and age", "death date", "death-date", "death date and age", "death-date and age",
         "film date", "release date", "date", "bda", "dob", "fecha"), measures.date),
    **dict.fromkeys(("as of", "asof"), measures.as_of),
    **dict.fromkeys(("oldstyledate", "old style date", "oldstyledatedy"), measures.old_style),
    **dict.fromkeys(("chem", "su", "nuclide", "subsup"), measures.atoms),
    **dict.fromkeys(("us$", "usd"), lambda args, named: measures.money("US$", args)),
    **dict.fromkeys(("£", "gbp", "pound"), lambda args, named: measures.money("£", args)),
    **dict.fromkeys(("€", "eur", "euro"), lambda args, named: measures.money("€", args)),
    **dict.fromkeys(("₹", "inr", "indian rupee"), lambda args, named: measures.money("₹", args)),
    **dict.fromkeys(("¥", "jpy", "cny", "rmb", "yen"), lambda args, named: measures.money("¥", args)),
    **dict.fromkeys(("a$", "aud"), lambda args, named: measures.money("A$", args)),
    **dict.fromkeys(("c$", "cad"), lambda args, named: measures.money("C$", args)),
    **dict.fromkeys(("nihongo", "nihongo3", "nihongo krt", "nihongo foot"), _nihongo),
    **dict.fromkeys(("zh", "zh-cn", "lang-zh"), _chinese),
    **dict.fromkeys(("ill", "interlanguage link", "interlanguage link multi", "link-interwiki", "iw2"), _interlanguage),
    **dict.fromkeys(("section link", "slink", "section-link"), _section_link),
    **dict.fromkeys(("respell", "pronunciation respelling", "usdict"), _respell),
    **dict.fromkeys(("angbr", "angle bracket"), _wrap("⟨", "⟩")),
    **dict.fromkeys(("ship", "sclass", "sclass2"), _ship),
    **dict.fromkeys(("sic", "sic?"), _sic),
    **dict.fromkeys(("sup", "e-sup", "exp"), lambda args, named: measures.superscript(args[-1]) if args else ""),
    "e": measures.power_of_ten,
    "10^": lambda args, named: "10" + measures.superscript(args[0]) if args else "10",
    "gaps": measures.gaps,
    "formatnum": lambda args, named: measures.thousands(args[0]) if args else "",
    "height": measures.height,
    "sub": _join(""),
    "sqrt": _wrap("√"),
    "keypress": _join("+"),
    "key press": _join("+"),
    "sortname": _join(" "),
    "music": lambda args, named: {"flat": "♭", "b": "♭", "sharp": "♯", "#": "♯", "natural": "♮"}.get("".join(args[:1]), ""),
    '"': _wrap("„", "“"),
    "siècle": _wrap("", "e siècle"),
    "s-": _wrap("", "e siècle"),
    "railgauge": _wrap(""),
    "track gauge": _wrap(""),
}  # fmt: skip
