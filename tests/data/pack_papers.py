"""Packs ``upstream/pubmed`` as ftp.ncbi.nlm.nih.gov serves a baseline, and ``upstream/arxiv`` as arXiv's bucket does.

PubMed: gzipped XML, an OpenSSL-style .md5 beside each, an HTML index. arXiv: one tar of gzipped papers and a manifest.
"""

from __future__ import annotations

from pathlib import Path

from packing import UPSTREAM, Files, gzip_member, md5, table, tar

BASELINE = "ftp.ncbi.nlm.nih.gov/pubmed/baseline"

#: 2026-07-31 00:00:00 UTC, the time of everything in arXiv's tars.
PACKED_AT = 1785456000


def pack_pubmed() -> Files:
    """Return the baseline's part of the mirror."""
    files: Files = {}
    for path in sorted((UPSTREAM / "pubmed").glob("*.xml")):
        content = gzip_member(path.read_bytes())
        files[f"{BASELINE}/{path.name}.gz"] = content
        files[f"{BASELINE}/{path.name}.gz.md5"] = f"MD5({path.name}.gz)= {md5(content)}\n".encode()
    files[f"{BASELINE}/index.html"] = _listing({Path(name).name: len(content) for name, content in files.items()})
    return files


def _listing(sizes: dict[str, int]) -> bytes:
    """Return the directory listing that the web server makes."""
    rows = "".join(f'<a href="{name}">{name}</a>  2026-01-10 10:00  {size}\n' for name, size in sizes.items())
    title = "Index of /pubmed/baseline"
    head = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>"
    up = '<a href="/pubmed/">Parent Directory</a>\n<a href="README.txt">README.txt</a>  2026-01-10 10:00  4.5K\n'
    return f"{head}<pre>{up}{rows}</pre></body></html>\n".encode()


def pack_arxiv() -> Files:
    """Return the bucket's part of the mirror: papers in the order of their ids, as arXiv packs them."""
    papers = table("arxiv/papers.toml")
    yymm = papers["yymm"]
    members = [_paper(yymm, paper) for paper in papers["papers"]]
    archive = tar(members, PACKED_AT)
    name = f"src/arXiv_src_{yymm}_001.tar"
    manifest = f"""<?xml version='1.0' standalone='yes'?>
<arXivSRC>
  <file>
    <content_md5sum>{md5(b"".join(content for _, content in members))}</content_md5sum>
    <filename>{name}</filename>
    <first_item>{papers["papers"][0]}</first_item>
    <last_item>{papers["papers"][-1]}</last_item>
    <md5sum>{md5(archive)}</md5sum>
    <num_items>{len(members)}</num_items>
    <seq_num>1</seq_num>
    <size>{len(archive)}</size>
    <timestamp>2026-07-31 00:00:00</timestamp>
    <yymm>{yymm}</yymm>
  </file>
  <timestamp>Fri Jul 31 00:00:00 2026</timestamp>
</arXivSRC>
"""
    return {f"arxiv/{name}": archive, "arxiv/src/arXiv_src_manifest.xml": manifest.encode()}


def _paper(yymm: str, paper: str) -> tuple[str, bytes]:
    """Return a paper's name and bytes in the tar: a PDF as it is, one file gzipped, several files as a gzipped tar."""
    folder = UPSTREAM / "arxiv" / paper
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    sources = [(name, (folder / name).read_bytes()) for name in paths]
    if len(sources) > 1:
        return f"{yymm}/{paper}.gz", gzip_member(tar(sources, PACKED_AT))
    [(name, content)] = sources
    if name.endswith(".pdf"):
        return f"{yymm}/{paper}.pdf", content
    return f"{yymm}/{paper}.gz", gzip_member(content)
