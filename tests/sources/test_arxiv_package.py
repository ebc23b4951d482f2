"""arXiv packages: bounded unpacking, and which file is the paper."""

import gzip
import io
import tarfile

import pytest

from sources import arxiv_package
from sources.arxiv_main import main_file
from sources.arxiv_package import Package, UnusablePackageError, unpack

ARTICLE = rb"\documentclass{article}\begin{document}x\end{document}"


def package(**texts: bytes) -> Package:
    return Package({name.replace("__", "/") + ".tex": content for name, content in texts.items()}, ())


def packed(members: list[tuple[str, bytes]], links: dict[str, str] | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return out.getvalue()


def test_members_outside_the_package_and_links_are_never_read() -> None:
    data = packed([("./a.tex", ARTICLE), ("../b.tex", b"evil"), ("/c.tex", b"evil")], {"d.tex": "/etc/passwd"})
    assert unpack(data).texts == {"a.tex": ARTICLE}


def test_of_two_members_with_one_name_the_later_counts() -> None:
    assert unpack(packed([("a.tex", b"old"), ("a.tex", ARTICLE)])).texts == {"a.tex": ARTICLE}


def test_figures_and_binary_members_are_known_by_name_only() -> None:
    found = unpack(packed([("a.tex", ARTICLE), ("f.eps", b"%!PS"), ("b.tex", b"\0\1")]))
    assert found == Package({"a.tex": ARTICLE}, ("f.eps", "b.tex"))


def test_a_gzip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = gzip.compress(b"\0" * (40 << 20))
    assert len(bomb) < 1 << 16
    for data in (gzip.compress(b"%" + b"x" * (40 << 20)), packed([("a.bin", b"\0" * (40 << 20)), ("a.tex", ARTICLE)])):
        with pytest.raises(UnusablePackageError) as caught:
            unpack(data)
        assert caught.value.reason == "too_large"


def test_too_many_members_and_too_much_text_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = packed([(f"{number}.tex", b"x" * 10) for number in range(5)])
    monkeypatch.setattr(arxiv_package, "MAX_MEMBERS", 4)
    with pytest.raises(UnusablePackageError, match="4 members"):
        unpack(data)
    monkeypatch.setattr(arxiv_package, "MAX_MEMBERS", 5)
    monkeypatch.setattr(arxiv_package, "MAX_ALL_TEXT", 49)
    with pytest.raises(UnusablePackageError, match="49 bytes"):
        unpack(data)


def test_several_gzip_members_are_one_file() -> None:
    assert unpack(gzip.compress(b"one ") + gzip.compress(b"two")).texts == {"main.tex": b"one two"}


def test_the_readme_names_the_main_file() -> None:
    texts = {"main.tex": ARTICLE, "z.tex": ARTICLE}
    for readme in [
        b"z.tex toplevelfile\n",
        b'{"sources": [{"filename": "z.tex", "usage": "toplevel"}]}',
        b"- filename: z.tex\n  usage: toplevel\n",
    ]:
        assert main_file(Package({**texts, "00README.json": readme}, ())) == "z.tex"
    assert main_file(Package({**texts, "00README.XXX": b"gone.tex toplevelfile\n"}, ())) == "main.tex"


def test_usual_names_come_before_bigger_files() -> None:
    assert main_file(package(supplement=ARTICLE + b"%" * 900, ms=ARTICLE)) == "ms.tex"
    assert main_file(package(a=ARTICLE, b=ARTICLE + b"%" * 900)) == "b.tex"
    assert main_file(package(b=ARTICLE, a=ARTICLE)) == "a.tex"


def test_a_part_is_not_the_main_file() -> None:
    body = rb"\begin{document}long text" + b"." * 999
    assert main_file(package(text=body, top=rb"\documentclass{x}\input{text}")) == "top.tex"
    assert main_file(package(figure=rb"\documentclass{standalone}\begin{document}" + b"." * 999, z=ARTICLE)) == "z.tex"
    assert main_file(package(sub__paper=ARTICLE, z=ARTICLE)) == "z.tex"
    assert main_file(package(anc__main=ARTICLE, z=ARTICLE)) == "z.tex"
    assert main_file(package(main=b"% \\documentclass{article}\n", z=ARTICLE)) == "z.tex"


def test_files_that_arxiv_ignores_are_not_the_main_file() -> None:
    assert main_file(package(main=b"%auto-ignore\n" + ARTICLE, other=ARTICLE)) == "other.tex"
    assert main_file(package(main=b"\\input texinfo\n" + ARTICLE, other=ARTICLE)) == "other.tex"


def test_plain_tex_has_a_main_file_too() -> None:
    assert main_file(package(body=b"words", run=rb"\magnification=1200 \input body \bye")) == "run.tex"
    assert main_file(package(notes=b"words and nothing else")) == "notes.tex"
