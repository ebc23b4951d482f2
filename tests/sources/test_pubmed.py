"""PubMed: which records a file holds, and the documents they become."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pile.document import Document, Drop, Input, Record, Tombstone
from pile.errors import DamagedInputError
from sources.pubmed import LICENSE, ROOT, Pubmed

SHARED = Path(os.environ.get("PILE_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
FILE = "pubmed26n0001.xml.gz"


def article(
    pmid: int, *, version: int = 1, abstract: str = "Roofs were wet.", title: str = "Moss.", rest: str = ""
) -> str:
    part = f"<Abstract><AbstractText>{abstract}</AbstractText></Abstract>" if abstract else ""
    return (
        f'<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="{version}">{pmid}</PMID>'
        f"<Article><Journal><JournalIssue><PubDate><Year>2020</Year></PubDate></JournalIssue>"
        f"<Title>Annals of Roofs</Title></Journal><ArticleTitle>{title}</ArticleTitle>{part}"
        f"<Language>eng</Language></Article></MedlineCitation>{rest}</PubmedArticle>\n"
    )


def deletion(*pmids: int) -> str:
    listed = "".join(f'<PMID Version="1">{pmid}</PMID>' for pmid in pmids)
    return f"<DeleteCitation>{listed}</DeleteCitation>"


def document_xml(*parts: str, head: str = "") -> bytes:
    root = f"<PubmedArticleSet>\n{''.join(parts)}</PubmedArticleSet>\n"
    return f'<?xml version="1.0" encoding="utf-8"?>\n{head}{root}'.encode()


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "fetched"
    path.write_bytes(content)
    return path


def records(path: Path) -> list[Record | Drop]:
    return list(Pubmed().records(Input(f"{ROOT}/baseline/{FILE}"), path))


def collected(path: Path) -> tuple[list[str], DamagedInputError]:
    names: list[str] = []
    with pytest.raises(DamagedInputError) as caught:
        for record in Pubmed().records(Input("x"), path):
            names.append(record.name if isinstance(record, Record) else record.id)
    return names, caught.value


def outcomes(tmp_path: Path, *parts: str) -> list[Document | Tombstone | Drop]:
    found = records(write(tmp_path, gzip.compress(document_xml(*parts))))
    return [item if isinstance(item, Drop) else Pubmed().parse(item) for item in found]


def only(tmp_path: Path, part: str) -> Any:
    (outcome,) = outcomes(tmp_path, part)
    return outcome


# --- records


def test_every_citation_is_a_record_named_by_its_pmid_across_gzip_members(tmp_path: Path) -> None:
    xml = document_xml(article(11), article(12), article(13))
    path = write(tmp_path, gzip.compress(xml[:700]) + gzip.compress(xml[700:]))
    found = records(path)
    assert [record.name for record in found if isinstance(record, Record)] == ["11", "12", "13"]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_the_highest_version_in_a_file_stays_wherever_it_is(tmp_path: Path, order: tuple[int, ...]) -> None:
    parts = [article(7, version=v, abstract=f"Version {v} of it.") + article(100 + v) for v in order]
    found = outcomes(tmp_path, *parts)
    kept = [d for d in found if isinstance(d, Document) and d.id == "7"]
    assert [(d.text, d.meta["version"]) for d in kept] == [("Moss.\n\nVersion 3 of it.", 3)]
    dropped = [d for d in found if isinstance(d, Drop)]
    assert [(d.id, d.reason) for d in dropped] == [("7", "superseded")] * 2
    assert "Version 3" in dropped[0].detail
    assert len(found) == 6


def test_of_equal_versions_in_a_file_the_last_stays(tmp_path: Path) -> None:
    first, second = outcomes(tmp_path, article(7, abstract="Old."), article(7, abstract="New."))
    assert isinstance(first, Drop) and first.reason == "superseded"
    assert isinstance(second, Document) and second.text == "Moss.\n\nNew."


def test_versions_far_apart_are_found_across_chunks(tmp_path: Path) -> None:
    filler = [article(1000 + n, abstract="wet " * 300) for n in range(200)]
    found = outcomes(tmp_path, article(7, version=2), *filler, article(7, version=1))
    assert [(d.id, d.reason) for d in found if isinstance(d, Drop)] == [("7", "superseded")]
    assert isinstance(found[-1], Drop)


def test_versions_are_found_wherever_a_chunk_of_the_file_ends(tmp_path: Path) -> None:
    cited = article(7, version=2)
    for shift in range(0, len(cited), 9):
        # Stored, not compressed: the second citation lies over the end of the first chunk that the reader gets.
        pad = f"<!--{'x' * (8000 - shift)}-->"
        path = write(tmp_path, gzip.compress(document_xml(cited, pad, article(7)), compresslevel=0))
        assert [type(record) for record in records(path)] == [Record, Drop]


def test_a_version_that_is_only_cited_supersedes_nothing(tmp_path: Path) -> None:
    cited = "<CommentsCorrectionsList><CommentsCorrections><PMID Version='2'>7</PMID></CommentsCorrections>"
    citing = article(8).replace("</Article>", f"</Article>{cited}</CommentsCorrectionsList>")
    assert all(isinstance(d, Document) for d in outcomes(tmp_path, article(7), citing))


def test_deletions_come_after_all_articles_of_the_file_and_are_tombstones(tmp_path: Path) -> None:
    found = outcomes(tmp_path, deletion(5, 6), article(5), article(9))
    assert [type(d) for d in found] == [Document, Document, Tombstone, Tombstone]
    assert found[2:] == [Tombstone("5"), Tombstone("6")]


def test_a_citation_without_pmid_is_malformed_and_the_rest_goes_on(tmp_path: Path) -> None:
    broken = article(5).replace('<PMID Version="1">5</PMID>', "")
    found = outcomes(tmp_path, broken, article(9))
    assert isinstance(found[0], Drop) and found[0].reason == "malformed_record"
    assert found[0].id == f"{FILE}:1" and "line 3 " in found[0].detail
    assert isinstance(found[1], Document)


def test_a_truncated_gzip_gives_its_whole_records_then_damage(tmp_path: Path) -> None:
    parts = [article(n, abstract=f"{n} {hashlib.sha256(str(n).encode()).hexdigest()}") for n in range(1, 400)]
    whole = gzip.compress(document_xml(*parts))
    path = write(tmp_path, whole[: len(whole) // 2])
    names, damage = collected(path)
    assert names == [str(n) for n in range(1, len(names) + 1)] and len(names) > 100
    assert "gzip" in damage.cause and damage.offset == len(whole) // 2


def test_a_wrong_checksum_is_damage_after_all_records(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(document_xml(*(article(n) for n in range(1, 400)))))
    whole[-6] ^= 1
    names, damage = collected(write(tmp_path, bytes(whole)))
    assert len(names) == 399 and "CRC" in damage.cause


def test_an_xml_error_is_damage_after_the_last_good_record(tmp_path: Path) -> None:
    xml = document_xml(article(1), article(2), article(3).replace("</Article>", "</Artikel>"), article(4))
    names, damage = collected(write(tmp_path, gzip.compress(xml)))
    assert names == ["1", "2"]
    assert "XML" in damage.cause


def test_xml_that_stops_early_is_damage_and_its_deletions_stand(tmp_path: Path) -> None:
    xml = document_xml(article(1), deletion(8)).replace(b"</PubmedArticleSet>", b"")
    names, damage = collected(write(tmp_path, gzip.compress(xml)))
    assert names == ["1", "8"]
    assert "XML" in damage.cause


@pytest.mark.parametrize(
    "content", [b"", b"<html><body>Sorry</body></html>", gzip.compress(b"<html/>"), gzip.compress(b"")]
)
def test_a_file_that_is_not_pubmed_is_damage(tmp_path: Path, content: bytes) -> None:
    names, _ = collected(write(tmp_path, content))
    assert names == []


def test_no_entity_is_expanded_not_even_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    head = f'<!DOCTYPE PubmedArticleSet [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY y "why">]>'
    xml = document_xml(article(1, abstract="a &x; b &y; c"), article(2), head=head)
    found = records(write(tmp_path, gzip.compress(xml)))
    made = [d if isinstance(d, Drop) else Pubmed().parse(d) for d in found]
    assert isinstance(made[0], Drop) and made[0].reason == "malformed_record"
    assert isinstance(made[1], Document)
    assert "the secret" not in repr(found) + repr(made)


def test_entities_that_multiply_are_damage_not_memory(tmp_path: Path) -> None:
    def entity(level: int) -> str:
        return f"&l{level};"

    levels = "".join(f'<!ENTITY l{n} "{10 * entity(n - 1)}">' for n in range(1, 12))
    head = f'<!DOCTYPE PubmedArticleSet [<!ENTITY l0 "ha">{levels}]>'
    xml = document_xml(article(1, abstract="&l11;"), head=head)
    names, damage = collected(write(tmp_path, gzip.compress(xml)))
    assert names == [] and "amplification" in damage.cause


# --- parse


def test_a_document_is_title_and_abstract_with_its_provenance(tmp_path: Path) -> None:
    data = (
        "<PubmedData><ArticleIdList><ArticleId IdType='pubmed'>42</ArticleId><ArticleId IdType='doi'>10.5555/m</ArticleId>"
        "<ArticleId IdType='pmc'>PMC9</ArticleId></ArticleIdList></PubmedData>"
    )
    made = only(tmp_path, article(42, rest=data))
    assert made == Document(
        id="42",
        text="Moss.\n\nRoofs were wet.",
        url="https://pubmed.ncbi.nlm.nih.gov/42/",
        license=LICENSE,
        created="2020",
        meta={
            "pmid": "42",
            "version": 1,
            "pmcid": "PMC9",
            "doi": "10.5555/m",
            "languages": ["eng"],
            "journal": "Annals of Roofs",
        },
    )


def test_a_cited_papers_pmcid_is_not_taken_for_the_articles_own() -> None:
    references = (
        "<PubmedData><ReferenceList><Reference><ArticleIdList><ArticleId IdType='pmc'>PMC666</ArticleId>"
        "<ArticleId IdType='doi'>10.5555/cited</ArticleId></ArticleIdList></Reference></ReferenceList></PubmedData>"
    )
    made = Pubmed().parse(Record("42", article(42, rest=references).encode()))
    assert isinstance(made, Document)
    assert not {"pmcid", "doi"} & made.meta.keys()


def test_a_copyright_statement_is_kept_out_of_the_text_and_verbatim_in_meta(tmp_path: Path) -> None:
    notice = "<CopyrightInformation>© 2020  The Roofers.</CopyrightInformation></Abstract>"
    made = only(tmp_path, article(42).replace("</Abstract>", notice))
    assert made.text == "Moss.\n\nRoofs were wet."
    assert made.meta["copyright"] == "© 2020  The Roofers."


def test_an_abstract_in_another_language_stays_out(tmp_path: Path) -> None:
    other = "<OtherAbstract Language='ger'><AbstractText>Dächer waren nass.</AbstractText></OtherAbstract>"
    assert "nass" not in only(tmp_path, article(42).replace("</Article>", f"</Article>{other}")).text
    lonely = article(43, abstract="").replace("</Article>", f"</Article>{other}")
    assert only(tmp_path, lonely).reason == "no_abstract"


def test_flags_of_title_and_abstract_are_in_meta(tmp_path: Path) -> None:
    made = only(tmp_path, article(42, title="[Moss].", abstract="Wet. (ABSTRACT TRUNCATED AT 250 WORDS)"))
    assert made.text == "Moss.\n\nWet."
    assert made.meta["translated_title"] is True and made.meta["truncated"] is True
    untitled = article(42, title="[Not Available].")
    made = only(tmp_path, untitled.replace("</Article>", "<VernacularTitle>Mousse.</VernacularTitle></Article>"))
    assert made.text.startswith("Mousse.\n\n") and made.meta["vernacular_title"] is True


def test_a_citation_without_abstract_or_title_is_dropped_with_the_reason(tmp_path: Path) -> None:
    assert only(tmp_path, article(1, abstract="")) == Drop("1", "no_abstract", "Moss.", withdraws=True)
    assert only(tmp_path, article(1, abstract="An abstract is unavailable.")).reason == "no_abstract"
    assert only(tmp_path, article(1, title="[Not Available].")) == Drop("1", "no_title", withdraws=True)


def test_the_doi_may_stand_with_the_article(tmp_path: Path) -> None:
    located = "<ELocationID EIdType='pii'>7</ELocationID><ELocationID EIdType='doi'>10.5555/e</ELocationID></Article>"
    assert only(tmp_path, article(42).replace("</Article>", located)).meta["doi"] == "10.5555/e"


def test_a_book_chapter_is_a_document_too(tmp_path: Path) -> None:
    book = (
        "<PubmedBookArticle><BookDocument><PMID Version='1'>77</PMID><Book><BookTitle>The Roof Book</BookTitle>"
        "<PubDate><Year>2011</Year><Month>03</Month></PubDate></Book>{}<Language>eng</Language>"
        "<Abstract><AbstractText>All on roofs.</AbstractText></Abstract></BookDocument></PubmedBookArticle>"
    )
    made = only(tmp_path, book.format("<ArticleTitle>Moss</ArticleTitle>"))
    assert (made.id, made.text, made.created) == ("77", "Moss\n\nAll on roofs.", "2011-03")
    assert only(tmp_path, book.format("")).text == "The Roof Book\n\nAll on roofs."


@pytest.mark.parametrize("data", [b"<PubmedArticle>", b"<PubmedArticle/>", b""])
def test_a_record_that_cannot_be_parsed_is_malformed(data: bytes) -> None:
    made = Pubmed().parse(Record("5", data))
    assert isinstance(made, Drop) and (made.id, made.reason) == ("5", "malformed_record")


# --- the real thing


@pytest.mark.skipif(not (SHARED / "mirror").is_dir(), reason="needs ../shared (or PILE_SHARED) with the mirror")
def test_the_mirrored_baseline_file_is_read_whole() -> None:
    path = SHARED / "mirror/ftp.ncbi.nlm.nih.gov/pubmed/baseline" / FILE
    made = [
        d if isinstance(d, Drop) else Pubmed().parse(d)
        for d in Pubmed().records(Input(f"{ROOT}/baseline/{FILE}"), path)
    ]
    assert Counter(d.reason if isinstance(d, Drop) else type(d).__name__ for d in made) == {
        "Document": 107,
        "no_abstract": 25,
    }
    texts = "".join(d.text for d in made if isinstance(d, Document))
    for leftover in (
        "all rights reserved",
        "[Not Available]",
        "ABSTRACT TRUNCATED",
        "UNLABELLED",
        "  ",
        "&lt;",
        "<sub>",
    ):
        assert leftover not in texts
