"""Wikitext constructs one by one: what a reader of the page sees stays, the rest leaves no trace."""

from __future__ import annotations

import pytest

from sources.extract.wikitext import text


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        # links
        ("A [[cat]] and [[dog|hounds]] and [[bus]]es.", "A cat and hounds and buses."),
        ("See [[Paris#History|there]] and [[:Category:Rivers|rivers]].", "See there and rivers."),
        ("[[#Later]] and [[Mercury (planet)|]].", "Later and Mercury."),
        ("Before [[File:Boat.jpg|thumb|200px|A [[boat]] at {{convert|5|km}}]] after.", "Before after."),
        ("Before [[Datei:Boot.jpg|mini|Ein Boot]] after.", "Before after."),
        ("Before [[Xyzzy:Boat.SVG|thumb|A boat]] after.", "Before after."),
        ("Text.\n[[Category:Rivers|*]]\n[[fr:Rivière]]\n[[Kategorie:Fluss]]", "Text."),
        ("A title [[Re: Zero]] stays.", "A title Re: Zero stays."),
        ("[https://a.example/x?y=1 words here], [https://a.example] gone.", "words here, gone."),
        ("[//a.example relative] [mailto:me@a.example mail]", "relative mail"),
        ("See https://a.example/x for more.", "See https://a.example/x for more."),
        # references, comments, switches
        ('One.<ref>{{cite web|url=x}}</ref> Two.<ref name="a" /> Three.', "One. Two. Three."),
        ("One.<ref name=a>Two. Three.<ref>four</ref> Five.", "One.Two. Three. Five."),
        ("One, <ref>never closed\n\nTwo.", "One,\n\nTwo."),
        ("a<!-- hidden -->b <!-- never closed", "ab"),
        ("one\n<!-- alone on its line -->\ntwo", "one two"),
        ("__NOTOC__\nText __FORCETOC__ here, __LINE__ stays.", "Text here, __LINE__ stays."),
        ("__ОГЛ__\nText", "Text"),
        # character references and white space
        ("5&nbsp;km&thinsp;&ndash;&#160;6&#x20;km", "5 km – 6 km"),
        ("soft&shy;ly\u200b \ufeffspoken &lt;ref&gt; &amp;nbsp;", "softly spoken <ref> &nbsp;"),
        ("AT&T; R&D &bogus;", "AT&T; R&D &bogus;"),
        # bold, italic
        ("'''''Both''''' '''bold''' ''italic'' don't", "Both bold italic don't"),
        ("L'''Avare'' est une ''pièce''.", "L'Avare est une pièce."),
        # HTML
        ("a<br>b<br />c", "a\nb\nc"),
        ('<span style="color:red">x</span> <small>y</small> <u>z</u>', "x y z"),
        ("10<sup>6</sup> m<sup>2</sup> s<sup>−1</sup> 1<sup>st</sup> 2<sup>k</sup> H<sub>2</sub>O", "10⁶ m² s⁻¹ 1st 2^k H2O"),
        ("<div class='x'>one</div><blockquote>two</blockquote>three", "one\n\ntwo\n\nthree"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("a < b and c > d, <unknown> and <me@a.example>", "a < b and c > d, <unknown> and <me@a.example>"),
        # extension tags
        ("Before <gallery>\nFile:A.jpg|Caption\n</gallery> after", "Before after"),
        ("a <imagemap>Image:x.png|thumb</imagemap><timeline>bars</timeline><score>c d e</score> b", "a b"),
        ("Where <math>E = mc^2</math> holds.", "Where $E = mc^2$ holds."),
        ('So\n:<math display="block">\\frac{1}{2}\n x</math>\nholds.', "So\n\n$$\\frac{1}{2} x$$\n\nholds."),
        ("Water <chem>H2O</chem>.", "Water $\\ce{H2O}$."),
        ("<nowiki>[[not a link]] {{no}} &amp;</nowiki>", "[[not a link]] {{no}} &"),
        ('Code:\n<syntaxhighlight lang="c">\nif (a[i] && {{b}}) {\n  x();\n}\n</syntaxhighlight>\nend.',
         "Code:\n\nif (a[i] && {{b}}) {\n  x();\n}\n\nend."),
        ("a\n<pre>\n x &lt; y  z\n</pre>", "a\n\n x < y  z"),
        ("[<nowiki/>[not a link]] <nowiki> </nowiki>x", "[[not a link x"),
        ("<poem>\nRoses are ''red'',\n:violets are blue\n</poem>", "Roses are red,\nviolets are blue"),
        ("-{zh-hans:电脑; zh-hant:電腦}- and -{plain}-", "电脑 and plain"),
        ("{{PAGENAME}} it is.", "The Title it is."),
    ],
)  # fmt: skip
def test_a_construct_becomes_what_a_reader_sees(wikitext: str, expected: str) -> None:
    assert text(wikitext, title="The Title") == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{convert|5|km}}", "5 km"),
        ("{{convert|1300|mi|km|abbr=on}}", "1,300 mi"),
        ("{{convert|3|to|4|km2|sqmi}}", "3 to 4 km²"),
        ("{{cvt|6|-|7|F}}", "6–7 °F"),
        ("{{convert|6|ft|2|in|m}}", "6 ft 2 in"),
        ("{{lang|fr|mot}}", "mot"),
        ("{{lang-grc|λόγος|lógos}}", "Ancient Greek: λόγος, lógos"),
        ("{{lang-qqq|word}}", "word"),
        ("{{transl|ar|DIN|kitāb}}", "kitāb"),
        ("{{Nowrap|{{lang|la|a [[b|c]]}} d}}", "a c d"),
        ("{{nowrap|1=a=b}}", "a=b"),
        ("{{small|text=tiny}}", "tiny"),
        ("{{frac|1|2}} {{frac|3|1|2}} {{frac|8}}", "1/2 3 1/2 1/8"),
        ("{{val|1.6|0.1|e=-19|u=C}}", "1.6 ± 0.1 × 10⁻¹⁹ C"),
        ("{{val|5|u=km|up=s}}", "5 km/s"),
        ("{{val|12|+3|-2}}", "12 +3 −2"),
        ("2{{e|6}} {{gaps|6.022|141}} {{10^|3}}", "2 × 10⁶ 6.022141 10³"),
        ("{{circa|1850|1860}} {{circa}} {{floruit|1200}} {{reign|1066|1087}}", "c. 1850 – c. 1860 c. fl. 1200 r. 1066–1087"),
        ("{{start date|2001|9|11}}; {{birth date|df=yes|1950|01|02}}; {{dts|1999}}", "September 11, 2001; 2 January 1950; 1999"),
        ("{{as of|2015|3}} {{as of|2014|lc=y}} {{as of|2001|alt=in 2001}}", "As of March 2015 as of 2014 in 2001"),
        ("{{OldStyleDate|2 February|1905|20 January}}", "2 February [O.S. 20 January] 1905"),
        ("1{{ndash}}2{{snd}}3{{mdash}}4{{nbsp}}5{{·}}6", "1–2 – 3—4 5 · 6"),
        ("James{{'s}} {{'}}{{=}}{{!}}", "James's '=|"),
        ("{{IPAc-en|audio=x.ogg|ˈ|k|æ|t|_|d|ɒ|g}} {{IPA-fr|ʃa|lang|x.ogg}} {{IPA|/a/}}", "/ˈkæt dɒg/ [ʃa] /a/"),
        ("{{respell|AN|ər|kee}} {{angbr|a}}", "AN-ər-kee ⟨a⟩"),
        ("{{chem|H|2|O}} {{US$|5 million|2009}} {{£|3}}", "H2O US$5 million £3"),
        ("{{USS|Hornet|CV-12|6}} {{ship|HMS|Victory}}", "USS Hornet (CV-12) HMS Victory"),
        ("{{nihongo|Tea|茶|cha}} {{zh|s=茶|p=chá}}", "Tea (茶, cha) simplified Chinese: 茶; pinyin: chá"),
        ("{{ill|Jean|fr|Jean Dupont|lt=J. D.}} {{ill|Jean|fr}} {{sic|teh}} {{sic|teh|hide=y}}", "J. D. Jean teh [sic] teh"),
        ("{{hlist|a|b}}", "a · b"),
        ("{{formatnum:1234567.5}} {{lc:Word}}", "1,234,567.5 Word"),
        ("{{unknown thing|with=words|in it}}", ""),
        ("{{#if:x|y|z}} {{DEFAULTSORT:Key}}", ""),
        ("{{{1|fallback}}} {{{2}}}", "fallback"),
    ],
)  # fmt: skip
def test_an_inline_template_keeps_its_words(template: str, expected: str) -> None:
    assert text(f"x {template} y") == f"x {expected} y".replace("  ", " ")


def test_quotation_templates_are_paragraphs_with_their_source() -> None:
    assert text("He said:\n{{quote|To be.|author=Someone}}\nEnd.") == "He said:\n\nTo be.\n\n— Someone\n\nEnd."


def test_list_templates_are_lists() -> None:
    assert text("{{unbulleted list|one|two}}") == "- one\n- two"
    assert text("{{plainlist|\n* one\n* two\n}}") == "- one\n- two"


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("Word ({{unknown|a}}) next.", "Word next."),
        ("Word ({{unknown|a}}; {{unknown|b}}) next.", "Word next."),
        ("Word ({{unknown|a}}; born 1950) next.", "Word (born 1950) next."),
        ("Word (born 1950; {{unknown|a}}) next.", "Word (born 1950) next."),
        ("Word (a, {{unknown|a}}, b) next.", "Word (a, b) next."),
        ("Word {{unknown|a}}, next {{unknown|a}}. End.", "Word, next. End."),
        ("Word ( ; ) next.", "Word next."),
        ("{{unknown}}, then.", "then."),
        ("Call main() or f(x).", "Call main() or f(x)."),
    ],
)
def test_nothing_is_left_around_what_was_taken_out(wikitext: str, expected: str) -> None:
    assert text(wikitext) == expected


def test_paragraphs_are_joined_lines_parted_by_blank_lines() -> None:
    assert text("one\ntwo\n\n\nthree") == "one two\n\nthree"


def test_headings_stand_alone_and_those_without_a_body_go() -> None:
    page = "Lead.\n== A ==\n=== A1 ===\nText.\n== B ==\n=== B1 ===\n==== B2 ====\n== C ==\n{{reflist}}\n== D ==\nEnd.\n== E =="
    assert text(page) == "Lead.\n\nA\n\nA1\n\nText.\n\nD\n\nEnd."


def test_a_deeper_heading_with_a_body_keeps_its_parents() -> None:
    assert text("== A ==\n=== B ===\n=== C ===\nText.") == "A\n\nC\n\nText."


def test_lists_keep_order_depth_and_numbers() -> None:
    page = "* one\n** two\n*: more\n* three\n\n# first\n## inner\n# second\n\n# again"
    assert text(page) == "- one\n  - two\n  more\n- three\n\n1. first\n  1. inner\n2. second\n\n1. again"


def test_items_without_words_go_and_take_no_number() -> None:
    assert text("# {{cite book|x}}\n# kept\n#\n# also") == "1. kept\n2. also"


def test_a_term_whose_items_are_gone_goes_too() -> None:
    assert text(";Kept\n* item\n;Gone\n* {{cite book|x}}\n;Also kept\n: meaning") == "Kept\n- item\nAlso kept\nmeaning"


@pytest.mark.parametrize(
    "table",
    [
        '{| class="wikitable"\n! a !! b\n|-\n| 1 || {{lang|fr|x}}\n|}',
        ":{|\n| outer\n{|\n| inner\n|}\n|}",
        "<table border=1><tr><td>x</td></tr></table>",
        "{{Infobox thing\n| a = [[b]]\n| c = {{lang|fr|d}}\n}}",
        "{{Table\n| a\n|}}",
    ],
)
def test_tables_and_boxes_go_as_a_whole(table: str) -> None:
    assert text(f"Before.\n\n{table}\n\nAfter.") == "Before.\n\nAfter."


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("Before.\n{| class=x\n| a || b\n|-\n| c\n\n== Next ==\nText.", "Before.\n\nNext\n\nText."),
        ("{{Infobox\n| a = b\n| c = d\n\n'''Thing''' is.\n\n== Next ==\nText.", "Thing is.\n\nNext\n\nText."),
        ("{{Infobox\n| a = b\n\nThing is.\n\n== Next ==\nText }} more.", "Thing is.\n\nNext\n\nText more."),
        ("Word {{citation needed|date=May 2015} more.", "Word more."),
        ("[[File:a.jpg|thumb|200px|A caption\n\nText.", "Text."),
        ("A [[link|with no end and text.", "A link|with no end and text."),
        ("Stray }} and ]] and </ref> and </div> here.", "Stray and and and\n\nhere."),
        ("Text.\n|}\n|-\n| cell\n! a !! b\nMore.", "Text.\n\nMore."),
        ("See [https://a.example never closed\n\nText.", "See never closed\n\nText."),
    ],
)
def test_broken_markup_is_cut_where_a_reader_would_cut_it(wikitext: str, expected: str) -> None:
    assert text(wikitext) == expected


def test_namespaces_of_the_wiki_itself_are_known() -> None:
    page = "Text [[Seviškuo:Vīns|thumb|kas]]."
    assert text(page, namespaces=frozenset({"seviškuo"})) == "Text."
    assert text(page) == "Text thumb|kas."
