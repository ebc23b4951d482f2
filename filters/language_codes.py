"""Names of languages: what each model calls them, and the code of ISO 639 that pile gives them.

One table for all models, since lid.176 writes names of Wikipedias, CLD2 codes of the last century, GlotLID ISO 639-3 and scripts.
"""

from __future__ import annotations

#: A text whose language cannot be told (ISO 639-2's "undetermined").
UNDETERMINED = "und"

#: Names that are no code of ISO 639, or one of another language, or one that it has withdrawn.
_RENAMED = {
    "als": "gsw",  # lid.176: the Alemannic Wikipedia; in ISO 639-3 als is Tosk Albanian, which pile calls sq
    "bh": "bho",  # lid.176: the Bhojpuri Wikipedia; bh stood for the Bihari group
    "in": "id",  # CLD2: withdrawn in 1989, as are iw and ji
    "iw": "he",
    "ji": "yi",
    "jw": "jv",  # CLD2: a misprint of the standard, withdrawn in 2001
    "mo": "ro",  # CLD2: withdrawn in 2008
    "no": "nb",  # both write nn for Nynorsk and mean Bokmal by no
    "sr-ME": "sr",  # CLD2: what it calls Montenegrin
    "tw": "ak",  # CLD2: Twi, a part of Akan
}
#: What lid.176 (sh) and CLD2 say that names no one language, or a script only, or a joke.
NO_LANGUAGE = frozenset({"sh", "tlh", "un", "xx", "xxx", "zzb", "zze", "zzh", "zzp"})

#: Codes that stand for several languages, and which; a recipe that keeps the whole keeps every part.
GROUPS = {
    "hbs": ("bs", "hr", "sr"),
    "no": ("nb", "nn"),
    "sh": ("bs", "hr", "sr"),
}

#: ISO 639-3 to the shorter code of ISO 639-1, for every language that has one (https://iso639-3.sil.org/code_tables).
_ISO_639_1 = """
aar:aa abk:ab afr:af aka:ak amh:am ara:ar arg:an asm:as ava:av ave:ae aym:ay aze:az bak:ba bam:bm bel:be ben:bn bis:bi
bod:bo bos:bs bre:br bul:bg cat:ca ces:cs cha:ch che:ce chu:cu chv:cv cor:kw cos:co cre:cr cym:cy dan:da deu:de div:dv
dzo:dz ell:el eng:en epo:eo est:et eus:eu ewe:ee fao:fo fas:fa fij:fj fin:fi fra:fr fry:fy ful:ff gla:gd gle:ga glg:gl
glv:gv grn:gn guj:gu hat:ht hau:ha heb:he her:hz hin:hi hmo:ho hrv:hr hun:hu hye:hy ibo:ig ido:io iii:ii iku:iu ile:ie
ina:ia ind:id ipk:ik isl:is ita:it jav:jv jpn:ja kal:kl kan:kn kas:ks kat:ka kau:kr kaz:kk khm:km kik:ki kin:rw kir:ky
kom:kv kon:kg kor:ko kua:kj kur:ku lao:lo lat:la lav:lv lim:li lin:ln lit:lt ltz:lb lub:lu lug:lg mah:mh mal:ml mar:mr
mkd:mk mlg:mg mlt:mt mon:mn mri:mi msa:ms mya:my nau:na nav:nv nbl:nr nde:nd ndo:ng nep:ne nld:nl nno:nn nob:nb nor:no
nya:ny oci:oc oji:oj ori:or orm:om oss:os pan:pa pli:pi pol:pl por:pt pus:ps que:qu roh:rm ron:ro run:rn rus:ru sag:sg
san:sa sin:si slk:sk slv:sl sme:se smo:sm sna:sn snd:sd som:so sot:st spa:es sqi:sq srd:sc srp:sr ssw:ss sun:su swa:sw
swe:sv tah:ty tam:ta tat:tt tel:te tgk:tg tgl:tl tha:th tir:ti ton:to tsn:tn tso:ts tuk:tk tur:tr uig:ug ukr:uk urd:ur
uzb:uz ven:ve vie:vi vol:vo wln:wa wol:wo xho:xh yid:yi yor:yo zha:za zho:zh zul:zu
"""
#: Members of a macrolanguage whose code of ISO 639-1 is used for them (same tables).
_MEMBERS = """
als:sq arb:ar ayr:ay azj:az cmn:zh ekk:et fat:ak fil:tl fuv:ff gaz:om gug:gn ike:iu khk:mn kmr:ku knc:kr lvs:lv npi:ne
ory:or pbt:ps pbu:ps pes:fa plt:mg prs:fa quy:qu quz:qu swh:sw twi:ak uzn:uz ydd:yi zlm:ms zsm:ms
"""
_SHORTER = dict(pair.split(":") for pair in (_ISO_639_1 + _MEMBERS).split())


def iso_code(name: str) -> str:
    """Return the code for what lid.176 or CLD2 calls a language: ISO 639-1 where one exists, else 639-3."""
    if name in _RENAMED:
        return _RENAMED[name]
    plain = name.partition("-")[0]
    return _RENAMED.get(plain, plain)


def iso_code_of_label(label: str) -> str:
    """Return the code for a label of any fastText model, such as GlotLID's ``eng_Latn``: the script is left off."""
    plain, script, _ = label.partition("_")
    if script:  # of ISO 639-3, where als is Tosk Albanian
        return _SHORTER.get(plain, plain)
    return _RENAMED.get(plain) or _SHORTER.get(plain, plain)


def expand(codes: list[str]) -> frozenset[str]:
    """Return the codes with every group replaced by its languages; the group's own code stays, too."""
    return frozenset(codes).union(*(GROUPS.get(code, ()) for code in codes))
