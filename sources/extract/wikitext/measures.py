"""Numbers, units and dates as Wikipedia's templates for them show them: ``{{convert|5|km}}`` is "5 km".

Each function takes a template's positional and named arguments, already text (https://en.wikipedia.org/wiki/Template:Convert,
Template:Val, Template:Frac, Template:Start_date); conversions to a second unit and ages are left out, the given value stays.
"""

from __future__ import annotations

import re

#: Unit codes of {{convert}} that read better written out.
UNITS = {
    "sqmi": "sq mi", "sqft": "sq ft", "sqin": "sq in", "sqyd": "sq yd", "sqkm": "km²", "km2": "km²", "m2": "m²",
    "cm2": "cm²", "mm2": "mm²", "m3": "m³", "cm3": "cm³", "km3": "km³", "dm3": "dm³", "cuft": "cu ft", "cumi": "cu mi",
    "cuin": "cu in", "cuyd": "cu yd", "C": "°C", "F": "°F", "C-change": "°C", "F-change": "°F", "kph": "km/h",
    "kmh": "km/h", "/sqmi": "per square mile", "PD/sqmi": "per square mile", "/km2": "per km²", "PD/km2": "per km²",
    "impgal": "imp gal", "USgal": "US gal", "U.S.gal": "US gal", "impbu": "imp bu", "USbu": "US bu", "LT": "long tons",
    "ST": "short tons", "MT": "tonnes", "t": "t", "lbf.ft": "lbf⋅ft", "Nm": "N⋅m", "N.m": "N⋅m", "nmi": "nautical miles",
    "ftin": "ft", "kn": "knots", "bbl/d": "barrels per day", "ly": "light-years", "kg/m3": "kg/m³", "g/cm3": "g/cm³",
    "m/s2": "m/s²", "ft/s2": "ft/s²", "m3/s": "m³/s", "cuft/s": "cu ft/s",
}  # fmt: skip

#: Words of {{convert}} between two values.
RANGES = {
    "-": "–", "–": "–", "to": " to ", "to-": " to ", "to about": " to about ", "and": " and ", "and(-)": " and ",
    "or": " or ", "x": " × ", "by": " by ", "xx": " × ", "*": " × ", "+/-": " ± ", "±": " ± ", "+": " + ", ",": ", ",
    "&": " & ", "–&nbsp;": "–", "to(-)": " to ",
}  # fmt: skip

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_SUPERSCRIPTS = str.maketrans("0123456789+-−–n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻ⁿ")
_NUMBER = re.compile(r"[-−+~]?[\d.,/ ]+(?:e-?\d+)?", re.I)

Named = dict[str, str]


def superscript(text: str) -> str:
    """Return an exponent so that 10⁶ does not become 106; words ("st", "th") stay plain, other things get a caret."""
    stripped = text.strip()
    if stripped and all(c in "0123456789+-−–n" for c in stripped):
        return stripped.translate(_SUPERSCRIPTS)
    if len(stripped) > 1 and stripped.isalpha():
        return stripped
    return "^" + stripped if stripped.isalnum() else text


def thousands(number: str) -> str:
    """Return digits with commas between thousands, as {{convert}} and {{formatnum}} show them."""
    whole, point, part = number.partition(".")
    grouped = (
        f"{int(whole):,}" if whole.isascii() and whole.isdigit() and len(whole) < 20 and whole[0] != "0" else whole
    )
    return grouped + point + part


def convert(args: list[str], named: Named) -> str:
    """``{{convert|5|to|6|km|mi}}``: "5 to 6 km"; pairs of value and unit (``6|ft|2|in``) are kept together."""
    parts: list[str] = []
    i = 0
    while i < len(args):
        parts.append(thousands(args[i]))
        following = args[i + 1] if i + 1 < len(args) else ""
        if following in RANGES and i + 2 < len(args):
            parts.append(RANGES[following])
            i += 2
            continue
        unit = UNITS.get(following, following)
        parts.append(" " + unit if unit else "")
        if unit and i + 3 < len(args) and _NUMBER.fullmatch(args[i + 2]) and args[i + 3] in ("in", "oz", "lb", "ft"):
            parts.append(" ")
            i += 2
            continue
        break
    return "".join(parts).strip()


def value(args: list[str], named: Named) -> str:
    """``{{val|1.6|0.1|e=-19|u=C}}``: "1.6 ± 0.1 × 10⁻¹⁹ C"."""
    number = args[0] if args else ""
    if len(args) > 2:
        number += f" +{args[1].lstrip('+')} −{args[2].lstrip('-−')}"
    elif len(args) > 1:
        number += f" ± {args[1]}"
    if exponent := named.get("e", ""):
        number = (f"{number} × " if number else "") + "10" + superscript(exponent)
    unit = next((named[key] for key in ("u", "ul", "upl", "up") if named.get(key)), "")
    per = named.get("up") or named.get("upl") if named.get("u") or named.get("ul") else ""
    text = named.get("p", "") + number + (f" {unit}" if unit else "") + (f"/{per}" if per else "")
    return text + named.get("s", "")


def fraction(args: list[str], named: Named) -> str:
    """``{{frac|3|1|2}}``: "3 1/2"; one argument is a part of one (``{{frac|2}}``: "1/2")."""
    if len(args) == 1:
        return f"1/{args[0]}"
    if len(args) == 2:
        return f"{args[0]}/{args[1]}"
    return f"{args[0]} {args[1]}/{args[2]}" if len(args) >= 3 else ""


def power_of_ten(args: list[str], named: Named) -> str:
    """``{{e|6}}``: " × 10⁶"; without an argument it is French for a raised e."""
    return f" × 10{superscript(args[0])}" if args else "e"


def height(args: list[str], named: Named) -> str:
    """``{{height|ft=6|in=1}}``, ``{{height|m=1.85}}``."""
    units = (
        (named.get("ft", ""), "ft"),
        (named.get("in", ""), "in"),
        (named.get("m", ""), "m"),
        (named.get("cm", ""), "cm"),
    )
    return " ".join(f"{number} {unit}" for number, unit in units if number)


def money(sign: str, args: list[str]) -> str:
    """``{{US$|5 million|2009}}``: the sign and the amount; the year is for a link."""
    return sign + args[0] if args and args[0] else sign


def circa(args: list[str], named: Named) -> str:
    """``{{circa|1850}}``: "c. 1850"; two dates are a span."""
    return "c. " + " – c. ".join(arg for arg in args[:2] if arg) if args and args[0] else "c."


def span_of_years(mark: str, args: list[str]) -> str:
    """``{{reign|1066|1087}}``: "r. 1066–1087"; ``{{floruit|1200}}``: "fl. 1200"."""
    return f"{mark} " + "–".join(arg for arg in args[:2] if arg) if args else mark


def _month(text: str) -> str:
    return MONTHS[int(text) - 1] if text.isascii() and text.isdigit() and 1 <= int(text) <= 12 else text


def date(args: list[str], named: Named) -> str:
    """``{{start date|2001|9|11}}``: "September 11, 2001", day first with ``df``; one free-form argument stays as it is."""
    year, month, day = ([arg for arg in args if arg] + ["", "", ""])[:3]
    month, day = _month(month), day.lstrip("0")
    if not month or not (year.isascii() and year.isdigit()):
        return " ".join(part for part in (year, month, day) if part) if len(args) <= 3 else year
    if not day.isdigit():
        return f"{month} {year}"
    return f"{day} {month} {year}" if named.get("df", "").lower() in ("y", "yes", "1") else f"{month} {day}, {year}"


def as_of(args: list[str], named: Named) -> str:
    """``{{as of|2015|3|lc=y}}``: "as of March 2015"; ``alt`` replaces the whole."""
    if named.get("alt"):
        return named["alt"]
    year, month, day = ([*args, "", "", ""])[:3]
    when = " ".join(part for part in (day.lstrip("0"), _month(month), year) if part)
    opening = "since" if named.get("since") else "as of"
    return f"{opening if named.get('lc') else opening.capitalize()} {when}"


def old_style(args: list[str], named: Named) -> str:
    """``{{OldStyleDate|2 February|1905|20 January}}``: "2 February [O.S. 20 January] 1905"."""
    new, year, old = ([*args, "", "", ""])[:3]
    return f"{new} [O.S. {old}] {year}".strip() if old else f"{new} {year}".strip()


def atoms(args: list[str], named: Named) -> str:
    """``{{chem|H|2|O}}``: "H2O"."""
    return "".join(args)


def gaps(args: list[str], named: Named) -> str:
    """``{{gaps|6.022|141}}``: "6.022141"; the gaps are only drawn."""
    return "".join(args) + (f" × 10{superscript(named['e'])}" if named.get("e") else "") + named.get("u", "")
