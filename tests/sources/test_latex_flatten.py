"""TeX read as characters: inputs, comments, verbatim text, macros."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.extract.latex.flatten import Flat, TexTooLargeError, flatten
from sources.extract.latex.macros import harvest, rewrite_definitions
from sources.extract.latex.normalise import balance_environments, drop_environments, normalise
from sources.extract.latex.scan import Stash, clean


def flat(main: str, **files: str) -> Flat:
    texts = {"main.tex": main, **{name.replace("__", "/") + ".tex": text for name, text in files.items()}}
    return flatten("main.tex", set(texts), texts.__getitem__)


def text(main: str, **files: str) -> str:
    found = flat(main, **files)
    return found.stash.restore(found.text)


def test_inputs_are_followed_in_every_form_and_to_any_depth() -> None:
    assert text(r"a \input{b} d", b=r"b \input c", c="c").split() == list("abcd")
    assert text(r"a \include{b} c", b="b").split() == ["a", "b", "c"]
    assert text(r"\import{sub/}{b}", sub__b=r"x\input{c}", sub__c="y").split() == ["xy"]
    assert text(r"\subfile{b}", b=r"\documentclass[main]{subfiles}\begin{document}body\end{document}").strip() == "body"
    assert text(r"\input{./b.tex}", b="x").strip() == "x"


def test_the_end_of_an_input_file_is_a_space_and_not_a_blank_line() -> None:
    assert text("\\input{n} files\n\\input{n}\nmore", n="12\n") == "12  files\n12 \nmore"


def test_a_cycle_is_cut_where_it_closes_and_noted() -> None:
    found = flat(r"a \input{b}", b=r"b \input{c}", c=r"c \input{b}\input{main}")
    assert found.text.split() == ["a", "b", "c"]
    assert found.missing == ["b", "main"]


def test_missing_files_are_noted_and_nothing_outside_the_package_is_read() -> None:
    found = flat(r"a \input{gone}\input{../../etc/passwd}\input{/etc/passwd} \input{refs.bbl} b")
    assert found.text.split() == ["a", "b"]
    assert found.missing == ["gone", "../../etc/passwd", "/etc/passwd"]


def test_inputs_that_multiply_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.extract.latex.flatten.MAX_CHARACTERS", 10_000)
    names = "abcdefghijkl"
    files = {name: rf"\input{{{after}}}" * 4 for name, after in pairwise(names)}
    with pytest.raises(TexTooLargeError):
        flat(r"\input{a}", **files, l="x")


def test_an_input_within_a_comment_or_verbatim_text_stays_as_it_is() -> None:
    assert text("a% \\input{b}\n c", b="x") == "ac"
    assert (
        text("\\begin{verbatim}\n\\input{b} % kept\n\\end{verbatim}", b="x")
        == "\\begin{verbatim}\n\\input{b} % kept\n\\end{verbatim}"
    )
    assert text(r"\verb|\input{b}%| c", b="x") == r"\verb|\input{b}%| c"


def test_comments_go_with_their_line_end_but_paragraphs_and_escaped_signs_stay() -> None:
    assert text("50\\% of % comment\n  all") == "50\\% of all"
    assert text("one\n% only a comment\ntwo") == "one\ntwo"
    assert text("one% comment\n\ntwo") == "one\n\ntwo"
    assert text("a\\\\% comment\nb") == "a\\\\b"
    assert text("\\foo% comment\nbar") == "\\foo bar"
    assert text("one%\n% two\n\nthree") == "one\n\nthree"
    assert text("\\begin{a}% comment\n  b") == "\\begin{a}b"


def test_endinput_ends_its_file_only() -> None:
    assert text(r"a \input{b} d", b="b\\endinput c").split() == ["a", "b", "d"]


def test_comment_environments_go_and_own_verbatim_environments_are_kept_from_rewriting() -> None:
    assert text("a\\begin{comment}\nhidden\n\\end{comment}b") == "ab"
    own = "\\lstnewenvironment{python}{}{}\n\\begin{python}[x=1]\nf(a) % $ \\noindent\n\\end{python}"
    found = flat(own)
    assert found.stash.restore(normalise(found.text)).endswith(
        "\\begin{verbatim}\nf(a) % $ \\noindent\n\\end{verbatim}"
    )


def test_macros_of_own_style_files_are_taken_without_their_internals() -> None:
    style = r"\newcommand{\R}{\mathbb{R}} \def\x@y{z} \newcommand{\w}{\x@y} "
    style += r"\renewcommand{\section}[1]{#1} \DeclareMathOperator{\tr}{tr}"
    assert harvest(style).split("\n") == [r"\newcommand{\R}{\mathbb{R}}", r"\DeclareMathOperator{\tr}{tr}"]
    texts = {"main.tex": r"\usepackage{own}$\R$", "own.sty": style}
    assert r"\newcommand{\R}{\mathbb{R}}" in flatten("main.tex", set(texts), texts.__getitem__).text


def test_xparse_definitions_take_the_form_that_pandoc_reads() -> None:
    rewritten = rewrite_definitions(
        r"\NewDocumentCommand\a{m O{3}}{x} \NewDocumentCommand{\b}{o m}{#2} \renewcommand{\cite}[1]{}", frozenset()
    )
    assert rewritten == r" \newcommand{\b}[2][]{#2} "


def test_layout_goes_and_the_text_that_it_lays_out_stays() -> None:
    assert normalise(r"\noindent{\bf Proof}").split() == [r"{\bf", "Proof}"]
    assert normalise(r"a\vspace*{-2\baselineskip}b").split() == ["a", "b"]
    assert normalise(r"\resizebox{1cm}{!}{words}").split() == ["{words}"]
    assert normalise(r"\makebox[2cm][l]{words}").split() == ["{words}"]
    assert normalise(r"\dropcap{P}lague") == " Plague"
    assert normalise(r"\vskip 2em plus 1pt words").split() == ["words"]


def test_drawings_go_with_what_is_nested_in_them() -> None:
    nested = r"a\begin{tikzpicture}\begin{tikzpicture}x\end{tikzpicture}y\end{tikzpicture}b"
    assert drop_environments(nested, frozenset(["tikzpicture"])) == "ab"


@given(st.lists(st.sampled_from(["\\begin{a}", "\\end{a}", "\\begin{b}", "\\end{b}", "x"])))
def test_environments_are_balanced_whatever_the_text(parts: list[str]) -> None:
    balanced = balance_environments("".join(parts))
    open_names: list[str] = []
    for part in balanced.replace("\\", " \\").split():
        if part.startswith("\\begin"):
            open_names.append(part[6:9])
        elif part.startswith("\\end"):
            assert open_names.pop() == part[4:7]
    assert not open_names
    assert balanced.count("x") == parts.count("x")


@given(
    st.text(alphabet="ab%\\\n {}$|[]", max_size=60),
    st.sampled_from(["", "\\begin{verbatim}", "\\verb|", "\\begin{comment}"]),
)
def test_cleaning_never_fails_and_is_stable(body: str, start: str) -> None:
    stash = Stash()
    once = clean(start + body, stash)
    assert "%" not in once.replace("\\\\", "").replace("\\%", "")
    assert isinstance(stash.restore(once), str)
