"""Where one record of a web archive ends and the next begins, in WARC (ISO 28500) and in its forerunner ARC.

A record is as long as its head says when another record, or the end, follows there; else it goes on to the next record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pile.document import Drop
from sources.members import Member

#: Longest head of a record, in bytes (FastWARC's own bound is 32 KiB).
HEAD_BOUND = 32 << 10
#: Longest block that is held in memory, in bytes. Common Crawl cuts payloads at 5 MiB (1 MiB before March 2025); other
#: writers store videos, of which the rest is passed over.
BLOCK_BOUND = 32 << 20
#: Bytes that are asked of a member at a time.
READ = 1 << 16

#: The first line of a WARC record. Some writers end lines in CR CR LF.
WARC_LINE = rb"WARC/\d+\.\d+[ \t\r]*\n"
#: The first line of an ARC record: address, IP, date, MIME type and length, of which any may be wrong.
ARC_LINE = rb"[a-z][a-z0-9+.-]*:[^\r\n]{1,8000} [0-9a-fA-F.:]+ \d{12,18} [^\r\n]{1,200} (-?\w{1,18})[ \t]*\r?\n"
MARK = re.compile(WARC_LINE + rb"|" + ARC_LINE)
#: The same where a later line begins. A file is of one kind: ARC's lines are too plain to be looked for in WARC.
LATER_WARC = re.compile(rb"(?<=\n)" + WARC_LINE)
LATER_ARC = re.compile(rb"(?<=\n)" + ARC_LINE)
#: More than the longest mark, so that none is lost between two reads.
MARK_BOUND = 16 << 10
#: Line ends and padding between records.
BLANKS = re.compile(rb"[\r\n \t\0]+")
#: What ends a head: an empty line, after the end of the line before it. Another record's first line (a group) shows that it has
#: no end: not to look on for one keeps the work on a file of such heads as great as the file.
HEAD_END = re.compile(rb"\n(?:\r*\n|(WARC/\d))")
LENGTH = re.compile(rb"\ncontent-length[ \t]*:[ \t]*(\d{1,18})[ \t\r]*(?=\n)", re.IGNORECASE)
#: What writers put after a block: two line ends.
AFTER_BLOCK = b"\r\n\r\n"


class Piece(NamedTuple):
    """The bytes of one record: ``at`` counts decompressed bytes from the start of its member.

    ``repaired`` says that the head states another length than the block has. ``missing`` counts the bytes over the bound.
    """

    at: int
    head: bytes
    block: bytes
    repaired: bool = False
    missing: int = 0

    @property
    def is_arc(self) -> bool:
        """Whether this is a record of an ARC file."""
        return not self.head.startswith(b"WARC/")


class _Tape:
    """The bytes of a member that are in hand, and where in it they begin."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.bytes = bytearray()
        self.at = 0
        self.ended = False

    def fill(self, size: int) -> bool:
        """Have at least ``size`` bytes in hand; return whether there are as many."""
        while len(self.bytes) < size and not self.ended:
            data = self.member.read(READ)
            self.bytes += data
            self.ended = not data
        return len(self.bytes) >= size

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes that are in hand, and go on after them."""
        with memoryview(self.bytes) as view:
            taken = bytes(view[:size])
        del self.bytes[:size]
        self.at += len(taken)
        return taken

    def skip(self, size: int) -> int:
        """Go on after ``size`` bytes; return how many of them there were not."""
        while size > 0 and self.fill(1):
            size -= len(self.take(min(size, READ)))
        return size

    def skip_blank(self) -> None:
        """Go on after line ends and padding."""
        while self.fill(1):
            blank = BLANKS.match(self.bytes)
            if blank:
                self.take(blank.end())
            if self.bytes:
                return

    def find(self, pattern: re.Pattern[bytes], start: int, bound: int) -> int | None:
        """Return where ``pattern`` is next in hand from ``start`` on, the end when it ends before, None past ``bound``."""
        while True:
            found = pattern.search(self.bytes, start)
            if found:
                return found.start()
            if self.ended:
                return len(self.bytes)
            if len(self.bytes) > bound:
                return None
            start = max(start, len(self.bytes) - MARK_BOUND)
            self.fill(len(self.bytes) + max(len(self.bytes), READ))


def begins(first: bytes) -> bool:
    """Return whether a member that begins with these bytes holds records."""
    return MARK.match(first.lstrip(b"\r\n")) is not None


def pieces(member: Member) -> Iterator[Piece | Drop]:
    """Yield the records of a member; what is no record, up to the next one, is one ``malformed_record``.

    The record in which a damaged member ends is not yielded. Where a file without compression ends inside of a record, this
    says so in ``member.damage`` and ``member.cut``.
    """
    tape = _Tape(member)
    later = LATER_WARC
    while True:
        tape.skip_blank()
        if not tape.fill(MARK_BOUND) and not tape.bytes:
            return
        at = tape.at
        mark = MARK.match(tape.bytes)
        later = later if mark is None else LATER_ARC if mark[1] else LATER_WARC
        head_size = _head_size(tape, mark) if mark else 0
        if head_size:
            piece = _piece(tape, head_size, mark[1] if mark else None, later)
            if piece is not None:
                yield piece
            continue
        while (end := tape.find(later, 1, BLOCK_BOUND)) is None:
            tape.take(BLOCK_BOUND - MARK_BOUND)
        tape.take(end)
        if not (tape.ended and member.damage):  # then it is one with the damage
            where = place(member, at)
            yield Drop(where, "malformed_record", f"offset {where}: no record begins here")


def place(member: Member, at: int) -> str:
    """Return an offset as a person looks it up: in the file, and "+" bytes after inflating where a member has several."""
    return str(member.offset + at) if not member.compressed else f"{member.offset}+{at}" if at else str(member.offset)


def _head_size(tape: _Tape, mark: re.Match[bytes]) -> int:
    """Return the size of the head of the record that is next, with its blank line; 0 when it does not end."""
    if mark[1] is not None:
        return mark.end()
    tape.fill(HEAD_BOUND)
    end = HEAD_END.search(tape.bytes, mark.end() - 1, HEAD_BOUND)
    return end.end() if end and not end[1] else 0


def _piece(tape: _Tape, head_size: int, arc_length: bytes | None, later: re.Pattern[bytes]) -> Piece | None:
    """Return the record that is next; None for the one in which the member is damaged."""
    at, member = tape.at, tape.member
    stated = LENGTH.search(tape.bytes, 0, head_size)
    digits = arc_length if arc_length is not None else stated[1] if stated else b""
    length = int(digits) if digits.isdigit() else None
    if length is not None and length > BLOCK_BOUND and tape.fill(head_size + BLOCK_BOUND):
        head, block = tape.take(head_size), tape.take(BLOCK_BOUND)
        if tape.skip(length - BLOCK_BOUND):
            _end_early(member)
        return None if member.damage else Piece(at, head, block, missing=length - BLOCK_BOUND)
    if length is not None and length <= BLOCK_BOUND:
        while not tape.fill(head_size + length) and member.extend():
            tape.ended = False
    if length is not None and _lands(tape, head_size + length):
        piece = Piece(at, tape.take(head_size), tape.take(length))
        return None if member.damage and BLANKS.sub(b"", tape.bytes) == b"" else piece
    end = tape.find(later, head_size, BLOCK_BOUND)
    if tape.ended and end == len(tape.bytes) and length is not None and end < head_size + length:
        _end_early(member)
    head, block = tape.take(head_size), tape.take((end or BLOCK_BOUND) - head_size)
    if tape.ended and not tape.bytes and member.damage:
        return None
    return Piece(at, head, block.removesuffix(AFTER_BLOCK), repaired=True, missing=0 if end else 1)


def _lands(tape: _Tape, end: int) -> bool:
    """Return whether ``end`` is where a record may end: another one or nothing follows."""
    tape.fill(end + MARK_BOUND)
    if len(tape.bytes) < end:
        return False
    blank = BLANKS.match(tape.bytes, end, end + MARK_BOUND)
    start = blank.end() if blank else end
    return start in (len(tape.bytes), end + MARK_BOUND) or MARK.match(tape.bytes, start) is not None


def _end_early(member: Member) -> None:
    """Note that a member without a checksum of its own ends inside of a record: the file is cut short."""
    if not member.checked and not member.damage:
        member.damage, member.cut = "the file ends inside of a record", True
