"""The arXiv source: its manifest, the members of a bulk tar, and one paper of each kind."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import msgspec
import pytest

from pile.document import Document, Drop, Input, Record
from pile.errors import DamagedInputError, NotTheFileError
from sources.arxiv import Arxiv, arxiv_id, created

SHARED = Path(os.environ.get("PILE_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))

PAPER = r"""
\documentclass{article}
\title{On the flight of paper kites}
\begin{document}
\maketitle
\begin{abstract}We fly kites.\end{abstract}
\section{Wind}
A kite needs wind \cite{gale}, as equation $F = ma$ says.
\end{document}
"""


def entry(name: str, yymm: str, number: int, md5: str = "a" * 32, size: int = 5) -> str:
    return (
        f"<file><filename>{name}</filename><md5sum>{md5}</md5sum><num_items>2</num_items>"
        f"<seq_num>{number}</seq_num><size>{size}</size><yymm>{yymm}</yymm></file>"
    )


class Bucket:
    """An upstream that holds one manifest."""

    def __init__(self, *entries: str, root: str = "arXivSRC") -> None:
        self.content = f"<?xml version='1.0'?><{root}>{''.join(entries)}</{root}>".encode()

    def read(self, url: str) -> bytes:
        assert url == "s3://arxiv/src/arXiv_src_manifest.xml"
        return self.content

    def find(self, patterns: list[str]) -> list[str]:
        raise AssertionError

    def size(self, url: str) -> int | None:
        raise AssertionError


def tar(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def items(path: Path, content: bytes) -> list[Record | Drop]:
    path.write_bytes(content)
    return list(Arxiv().records(Input("s3://arxiv/src/arXiv_src_2401_001.tar"), path))


def parse(content: bytes, name: str = "2401.00001", suffix: str = "gz") -> Document | Drop:
    return Arxiv().parse(Record(name, (f"2401/{name}.{suffix}", content)))


def test_tars_are_pinned_by_the_real_date_of_their_month_and_then_by_number() -> None:
    bucket = Bucket(entry("src/c.tar", "0001", 1), entry("src/b.tar", "9912", 2), entry("src/a.tar", "9912", 1))
    pin = Arxiv().pin(bucket)
    assert [file.url for file in pin.inputs] == ["s3://arxiv/src/a.tar", "s3://arxiv/src/b.tar", "s3://arxiv/src/c.tar"]
    assert pin.inputs[0] == Input("s3://arxiv/src/a.tar", 5, "md5:" + "a" * 32, {"yymm": "9912", "num_items": 2})


def test_of_repeated_entries_of_a_file_the_last_counts() -> None:
    bucket = Bucket(entry("src/a.tar", "0001", 1, "a" * 32), entry("src/a.tar", "0001", 1, "b" * 32, 9))
    assert [(file.size, file.checksum) for file in Arxiv().pin(bucket).inputs] == [(9, "md5:" + "b" * 32)]


def test_files_takes_the_first_of_the_list() -> None:
    bucket = Bucket(entry("src/b.tar", "0002", 1), entry("src/a.tar", "0001", 1))
    pin = Arxiv(files=1).pin(bucket)
    assert pin.options == {"files": 1}
    assert [file.url for file in pin.inputs] == ["s3://arxiv/src/a.tar"]


@pytest.mark.parametrize("options", [{"files": 0}, {"file": 1}, {"files": "2"}])
def test_options_that_cannot_be_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, Arxiv)


def test_another_document_in_the_manifests_place_is_an_error_that_says_so() -> None:
    for bucket in (Bucket(root="Error"), Bucket(), Bucket(entry("src/a.tar", "soon", 1))):
        with pytest.raises(NotTheFileError, match=r"arXiv_src_manifest\.xml"):
            Arxiv().pin(bucket)
    broken = Bucket()
    broken.content = b"not xml"
    with pytest.raises(NotTheFileError):
        Arxiv().pin(broken)


def test_members_are_named_by_arxiv_id_and_directories_are_passed_over(tmp_path: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        folder = tarfile.TarInfo("9901")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    content = io.BytesIO(
        content.getvalue()[: tarfile.BLOCKSIZE] + tar({"9901/hep-th9901001.gz": b"x", "9901/b.pdf": b"y"})
    )
    found = items(tmp_path / "a.tar", content.getvalue())
    assert [item.name for item in found if isinstance(item, Record)] == ["hep-th/9901001", "b"]


def test_a_tar_that_ends_early_is_damaged_after_its_last_good_member(tmp_path: Path) -> None:
    whole = tar({"2401/2401.00001.gz": b"one", "2401/2401.00002.gz": b"two" * 1000})
    for length, offset in [(1024 + 512 + 700, 1024), (1024 + 100, 1024), (1024, 1024)]:
        (tmp_path / "a.tar").write_bytes(whole[:length])
        records = Arxiv().records(Input("s3://arxiv/src/a.tar"), tmp_path / "a.tar")
        assert next(records) == Record("2401.00001", ("2401/2401.00001.gz", b"one"))
        with pytest.raises(DamagedInputError) as caught:
            next(records)
        assert caught.value.offset == offset


def test_a_broken_header_is_a_malformed_record_and_the_members_behind_it_are_read(tmp_path: Path) -> None:
    whole = bytearray(tar({"2401/2401.00001.gz": b"one", "2401/2401.00002.gz": b"two", "2401/2401.00003.gz": b"three"}))
    whole[1024 + 148] ^= 0xFF  # a digit of the second header's checksum
    first, broken, last = items(tmp_path / "a.tar", bytes(whole))
    assert isinstance(first, Record) and isinstance(last, Record)
    assert (first.name, last.name) == ("2401.00001", "2401.00003")
    assert isinstance(broken, Drop)
    assert broken.reason == "malformed_record" and "offset 1024" in broken.detail


def test_a_file_that_is_no_tar_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(DamagedInputError, match="not a tar"):
        items(tmp_path / "a.tar", b"<html>an error page</html>" * 100)


@pytest.mark.parametrize("name", ["../../etc/passwd.gz", "/etc/passwd.gz", "2401/../../x.gz"])
def test_a_member_whose_name_leads_out_of_the_archive_is_never_a_record(tmp_path: Path, name: str) -> None:
    bad, good = items(tmp_path / "a.tar", tar({name: b"x", "2401/2401.00002.gz": b"y"}))
    assert isinstance(bad, Drop) and bad.reason == "malformed_record"
    assert isinstance(good, Record)


def test_ids_and_months_of_old_and_new_form() -> None:
    assert arxiv_id("9901/hep-th9901001.gz") == "hep-th/9901001"
    assert arxiv_id("2401/2401.01234.pdf") == "2401.01234"
    assert arxiv_id("0704/0704.0001.gz") == "0704.0001"
    assert created("hep-th/9901001") == "1999-01"
    assert created("math/0512001") == "2005-12"
    assert created("2401.01234") == "2024-01"
    assert created("0000.00003") == ""


def test_a_paper_in_one_gzipped_file_becomes_a_document() -> None:
    document = parse(gzip.compress(PAPER.encode()))
    assert isinstance(document, Document)
    assert document.text == (
        "On the flight of paper kites\n\nAbstract\n\nWe fly kites.\n\nWind\n\nA kite needs wind, as equation $F = ma$ says."
    )
    assert document.id == "2401.00001"
    assert document.url == "https://arxiv.org/abs/2401.00001"
    assert document.created == "2024-01"
    assert "not stated in the bulk sources" in document.license
    assert document.meta == {"title": "On the flight of paper kites", "converter": "pandoc", "encoding": "utf-8"}


def test_a_paper_in_a_tar_is_read_with_its_parts() -> None:
    main = rb"\documentclass{article}\begin{document}First. \input{parts/wind}\input{gone} Last.\end{document}"
    document = parse(gzip.compress(tar({"paper.tex": main, "parts/wind.tex": b"Wind blows.\n", "k.png": b"\x89PNG\0"})))
    assert isinstance(document, Document)
    assert document.text == "First. Wind blows. Last."
    assert document.meta["missing_inputs"] == ["gone"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%PDF-1.5 binary", "pdf_only"),
        (gzip.compress(b"%PDF-1.5 binary"), "pdf_only"),
        (gzip.compress(b"%!PS-Adobe-2.0\n"), "postscript_only"),
        (gzip.compress(b"\n<!DOCTYPE html><html></html>"), "html_only"),
        (gzip.compress(b"%auto-ignore\nThis paper has been withdrawn.\n"), "withdrawn"),
        (gzip.compress(tar({"note.tex": b"%auto-ignore\nwithdrawn\n"})), "withdrawn"),
        (gzip.compress(tar({"paper.pdf": b"%PDF-1.5"})), "pdf_only"),
        (gzip.compress(tar({"a.tex": b"only a part", "b.tex": b"another part"})), "no_main_file"),
        (gzip.compress(tar({"data.csv": b"1,2"})), "no_main_file"),
        (gzip.compress(b"PK\x03\x04\0\0\0"), "not_tex"),
        (gzip.compress(b"  \n"), "not_tex"),
        (gzip.compress(PAPER.encode())[:-20], "malformed_record"),
        (gzip.compress(rb"\documentclass{article}\begin{document}\includegraphics{page1}\end{document}"), "no_text"),
        (
            gzip.compress((r"\documentclass{article}\begin{document}" + r"\emph{" * 4000 + "x" + "}" * 4000).encode()),
            "unparsable",
        ),
    ],
)
def test_a_package_without_readable_tex_is_dropped_with_its_reason(content: bytes, reason: str) -> None:
    dropped = parse(content)
    assert isinstance(dropped, Drop)
    assert (dropped.id, dropped.reason) == ("2401.00001", reason)


def test_a_pdf_member_is_dropped_by_its_name() -> None:
    assert parse(b"anything", suffix="pdf") == Drop("2401.00001", "pdf_only")


def test_a_latin_1_paper_is_decoded_as_it_declares() -> None:
    text = r"\documentclass{article}\usepackage[latin1]{inputenc}\begin{document}Stra\ss e, Café, naïve.\end{document}"
    document = parse(gzip.compress(text.encode("latin-1")))
    assert isinstance(document, Document)
    assert document.text == "Straße, Café, naïve."
    assert document.meta["encoding"] == "iso8859-1"


def test_a_paper_that_declares_nothing_and_is_not_utf_8_is_read_as_cp1252() -> None:
    document = parse(
        gzip.compress("\\documentclass{article}\\begin{document}The “quay”\\end{document}".encode("cp1252"))
    )
    assert isinstance(document, Document)
    assert (document.text, document.meta["encoding"]) == ("The “quay”", "cp1252")


@pytest.fixture(scope="module")
def real_papers() -> dict[str, Document | Drop]:
    tars = sorted((SHARED / "mirror" / "arxiv" / "src").glob("*.tar"))
    if not tars:
        pytest.skip(f"needs the real papers in {SHARED}/mirror/arxiv")
    source = Arxiv()
    records = [record for path in tars for record in source.records(Input(f"s3://arxiv/src/{path.name}"), path)]
    return {record.name: source.parse(record) for record in records if isinstance(record, Record)}


def test_every_real_paper_with_tex_becomes_a_document_by_way_of_pandoc(real_papers: dict[str, Document | Drop]) -> None:
    dropped = {name: paper.reason for name, paper in real_papers.items() if isinstance(paper, Drop)}
    assert dropped == {"0000.00099": "pdf_only"}
    documents = [paper for paper in real_papers.values() if isinstance(paper, Document)]
    assert len(documents) == 13
    assert {document.meta["converter"] for document in documents} <= {"pandoc", "pandoc-repaired"}
    assert all(len(document.text) > 10_000 for document in documents)


def test_real_papers_keep_no_debris_of_pandoc_or_labels(real_papers: dict[str, Document | Drop]) -> None:
    for paper in real_papers.values():
        if isinstance(paper, Document):
            for debris in (
                "\n:::",
                "reference-type",
                "[]{#",
                "\\vspace",
                "\\includegraphics",
                "\\label{",
                "\\begin{equation}",
            ):
                assert debris not in paper.text, (paper.id, debris)
            assert paper.text.count("$") % 2 == 0, paper.id
