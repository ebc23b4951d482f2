"""LaTeX to text, through the real pandoc: what stays, what goes, what is mended."""

from pathlib import Path

import pytest

from sources.extract.latex import LatexText, to_text
from sources.extract.latex.citations import Bibliography
from sources.extract.latex.flatten import flatten
from sources.extract.latex.math import display, inline

NONE = Bibliography()


def convert(body: str, bibliography: Bibliography = NONE, preamble: str = "") -> LatexText:
    source = f"\\documentclass{{article}}\n{preamble}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    return to_text(flatten("main.tex", {"main.tex"}, lambda _: source), bibliography)


def text(body: str, bibliography: Bibliography = NONE, preamble: str = "") -> str:
    found = convert(body, bibliography, preamble)
    assert found.converter == "pandoc"
    return found.text


def test_title_abstract_headings_and_paragraphs_stand_apart() -> None:
    body = "\\maketitle\\begin{abstract}Short.\\end{abstract}\\section{One}\\label{a}First\nline.\n\n"
    body += "Second.\\subsection{Two}Third."
    found = convert(body, preamble=r"\title[short]{A long \\ title\thanks{money}}\author{A. Uthor}\date{May}")
    assert found.title == "A long title"
    assert found.text == "A long title\n\nAbstract\n\nShort.\n\nOne\n\nFirst line.\n\nSecond.\n\nTwo\n\nThird."


def test_maths_stays_tex_on_lines_of_its_own_when_displayed() -> None:
    body = "We get \\begin{equation}\\label{q} a = b \\end{equation} and \\[ c \\] or $d$ and \\(e\\)."
    assert text(body) == "We get\n$$a = b$$\nand\n$$c$$\nor $d$ and $e$."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "\\begin{align*}\na &= b \\label{x}\\nonumber\\\\\nc &= d\n\\end{align*}",
            "$$\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}$$",
        ),
        ("\\begin{eqnarray} a &=& b \\end{eqnarray}", "$$\\begin{aligned} a &= b \\end{aligned}$$"),
        ("\\begin{gather}a\\end{gather}", "$$\\begin{gathered}a\\end{gathered}$$"),
        ("\\begin{alignat}{2}a\\end{alignat}", "$$\\begin{alignedat}{2}a\\end{alignedat}$$"),
        ("x=1\\eqno(3)", "$$x=1$$"),
        ("\\label{only}", ""),
    ],
)
def test_displayed_environments_become_what_tex_reads_between_dollars(source: str, expected: str) -> None:
    assert display(source) == expected


def test_inline_maths_loses_citations_and_keeps_its_arguments() -> None:
    assert inline("x^{\\cite{a}}\n + y") == "$x + y$"
    assert inline("\\ensuremath{z}") == "${z}$"
    assert inline("\\IfValueTF{}{a}{b}\\IfValueT{n}{_{n}}\\IfNoValueTF{}{c}{d}") == "$b_{n}c$"


def test_macros_of_the_paper_are_expanded_in_text_and_maths() -> None:
    preamble = r"\newcommand{\R}{\mathbb{R}}\def\be{\begin{equation}}\def\ee{\end{equation}}"
    preamble += r"\NewDocumentCommand\who{m}{the #1 team}"
    assert text(r"By \who{red} in $\R^2$: \be x \ee", preamble=preamble) == "By the red team in $\\mathbb{R}^2$:\n$$x$$"


def test_citations_and_unknown_references_leave_no_empty_brackets() -> None:
    body = r"Known (\cite{a}) [\cite{b,c}] (see \citep{d}; e.g.\ \cite{e}, and \ref{no}). See \cite{f}, and (a) [b]."
    assert text(body) == "Known. See, and (a) [b]."


def test_works_that_a_sentence_names_are_named_from_the_list_of_references() -> None:
    bibliography = Bibliography(
        r"\bibitem[{Ng \& Li(2001)}]{a} \bibitem[\protect\citeauthoryear{Long}{Roe et al.}{1999}]{b} \bibitem{c} Nobody",
        '@article{d, author = {M{\\"u}ller, Jo and Roe, A.}, year = 2003}\n'
        '@book{e,\n author="A. One and B. Two and C. Three",\n year={1990}}',
    )
    body = r"\citet{a} and \citet{b} and \citet{d} and \citet{e} agree; \citet{c} not. "
    body += r"In \citeyear{a} \citeauthor{a} wrote (\citep{a})."
    assert text(body, bibliography) == (
        "Ng & Li (2001) and Roe et al. (1999) and Müller and Roe (2003) and One et al. (1990) agree; not."
        " In 2001 Ng & Li wrote."
    )


def test_references_to_sections_and_equations_keep_their_numbers() -> None:
    body = (
        "\\section{A}\\label{s} \\begin{align} a\\label{one}\\\\ b\\nonumber\\\\ c\\label{two}\\end{align}"
        " \\begin{equation*}z\\end{equation*}"
        "\\begin{equation}d\\label{three}\\end{equation} Section~\\ref{s}, Eq.~(\\ref{one}), \\eqref{two}, \\cref{three}."
    )
    assert text(body).endswith("Section 1, Eq. (1), (2), Eq. (3).")


def test_equation_numbers_that_are_counted_otherwise_are_not_guessed() -> None:
    body = "\\section{A}\\begin{equation}d\\label{q}\\end{equation} Known (\\ref{q})."
    assert text(body, preamble="\\numberwithin{equation}{section}").endswith("Known.")


def test_figures_and_tables_leave_their_captions_only() -> None:
    body = (
        "\\begin{figure}[h]\\centering\\includegraphics[width=1cm]{a.png}\\caption{A kite.}\\label{f}\\end{figure}"
        "\\begin{table}\\caption{Winds.}\\begin{tabular}{ll}1&2\\\\3&4\\end{tabular}\\end{table}"
        "\\begin{tikzpicture}\\draw (0,0);\\end{tikzpicture} End."
    )
    assert text(body) == "A kite.\n\nWinds.\n\nEnd."


def test_a_box_of_one_column_is_text() -> None:
    assert text(r"\begin{tabular}{l}Words in a\\ box\end{tabular}") == "Words in a\nbox"


def test_lists_quotes_footnotes_and_code_read_as_text() -> None:
    body = (
        "One\\footnote{A note.} line.\n\n\\begin{itemize}\\item a \\item b\\end{itemize}"
        "\\begin{enumerate}\\item c\\end{enumerate}"
        "\\begin{description}\\item[T] d\\end{description}``Quoted'' `q' 10\\textsuperscript{6} 2\\textsuperscript{nd}"
        "\n\n\\begin{verbatim}\nx = 1 % $\n\\end{verbatim}"
    )
    assert text(body) == "One line.\n\nA note.\n\n- a\n- b\n\n1. c\n\nT: d\n\n“Quoted” ‘q’ 10^6 2nd\n\nx = 1 % $"


def test_the_list_of_references_goes_with_its_heading() -> None:
    assert (
        text("End.\\section*{References}\\begin{thebibliography}{9}\\bibitem{a} Who, where.\\end{thebibliography}")
        == "End."
    )


def test_text_in_commands_that_pandoc_does_not_know_is_kept() -> None:
    prose = "the wind that carries a paper kite blows from the sea in spring"
    assert (
        text(f"Start. \\significance{{We say that {prose}.}} \\affil{{Where {prose} is.}} End.")
        == f"Start. We say that {prose}. End."
    )


def test_layout_commands_leave_no_trace() -> None:
    assert text(r"\noindent{\bf Note} a\vspace{1cm} b\hfill c \today\\ \clearpage d").split() == [
        "Note",
        "a",
        "b",
        "c",
        "d",
    ]


def test_the_body_of_a_two_column_start_is_kept() -> None:
    assert text(r"\twocolumn[\begin{center}Head [1]\end{center}] Body.") == "Head [1]\n\nBody."


def test_plain_tex_is_read() -> None:
    found = to_text(
        flatten("m.tex", {"m.tex"}, lambda _: r"\magnification=1200 \centerline{\bf Kites} Fly $$x\eqno(1)$$ \bye"),
        NONE,
    )
    assert found.text == "Kites\n\nFly\n$$x$$"


@pytest.mark.parametrize(
    "fault",
    [
        r"\begin{itemize}\item {\bf one",
        r"costs $5 and no more",
        r"a } too many",
        r"\def\a{\a\a}\a",
        r"\begin{figure}\includegraphics{x \caption{Broken}\end{figure}",
        r"\newcommand{\x}[1]{\begin{foo}#1} \x{y} \end{nothing}",
        r"\begin{array}{l} \end{itemize}",
    ],
)
def test_one_broken_construct_costs_no_other_paragraph(fault: str) -> None:
    found = convert(f"The first paragraph is whole.\n\n{fault}\n\nThe third paragraph is whole.\n\nThe fourth is too.")
    assert found.converter == "pandoc-repaired"
    for sentence in ("The first paragraph is whole.", "The third paragraph is whole.", "The fourth is too."):
        assert sentence in found.text


def test_the_same_source_gives_the_same_text_each_time() -> None:
    body = "\\section{A} x $y$ \\unknown{z} {\\bf"
    assert len({convert(body) for _ in range(3)}) == 1


def test_the_bundled_program_is_used_whatever_the_path_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pandoc").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "pandoc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert text("Plain.") == "Plain."


@pytest.mark.timeout(60)
def test_brackets_full_of_abbreviations_are_read_in_one_pass() -> None:
    assert text("(" + "ref. e.g. " * 2000 + r"\cite{a} x)").startswith("(ref.")
