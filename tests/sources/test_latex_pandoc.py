"""pandoc as a child process: bounds on its time and output, and what is made of its failures."""

import os
import signal
import stat
import time
from pathlib import Path

import pytest

from pile.errors import RecordHungError
from sources.extract import latex
from sources.extract.latex import pandoc, to_text
from sources.extract.latex.citations import Bibliography
from sources.extract.latex.flatten import Flat, flatten


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def flat(text: str) -> Flat:
    return flatten("main.tex", {"main.tex"}, lambda _: text)


def is_gone(process: int) -> bool:
    """Wait for a killed process to end; one that nobody waits for stays in the table as a zombie."""
    status = Path(f"/proc/{process}/stat")
    deadline = soon()
    while time.monotonic() < deadline:
        try:
            if status.read_text().split()[2] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
    return False


def soon(seconds: float = 30) -> float:
    return time.monotonic() + seconds


def test_a_pandoc_that_hangs_is_killed_with_all_that_it_started_and_the_record_is_hung(tmp_path: Path) -> None:
    hanging = script(tmp_path / "pandoc", f"sleep 1000 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(RecordHungError, match="time bound"):
        to_text(flat("x"), Bibliography(), program=hanging, seconds=2)
    assert is_gone(int((tmp_path / "child").read_text()))


def test_a_pandoc_that_closed_its_output_and_runs_on_is_hung_too(tmp_path: Path) -> None:
    with pytest.raises(RecordHungError):
        pandoc.tree("x", soon(0.5), program=script(tmp_path / "pandoc", "exec >&-; exec sleep 1000"))


def test_a_pandoc_that_a_signal_ends_decides_nothing(tmp_path: Path) -> None:
    with pytest.raises(RecordHungError, match=f"signal {signal.SIGKILL.value}"):
        pandoc.tree("x", soon(), program=script(tmp_path / "pandoc", "kill -9 $$"))


def test_output_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pandoc, "MAX_OUTPUT", 1 << 16)
    with pytest.raises(pandoc.PandocError, match="output over"):
        pandoc.tree("x", soon(), program=script(tmp_path / "pandoc", "exec yes"))


def test_no_more_than_the_bounded_number_of_tries_is_made(tmp_path: Path) -> None:
    body = f'echo x >> {tmp_path}/tries; cat > /dev/null; echo "Error at (line 3, column 2):" >&2; exit 64'
    paragraphs = "\n\n".join(f"\\foo{{paragraph}} number {number}" for number in range(40))
    found = to_text(flat(paragraphs), Bibliography(), program=script(tmp_path / "pandoc", body))
    assert found.converter == "pylatexenc"
    assert 2 <= (tmp_path / "tries").read_text().count("x") <= latex.MAX_TRIES


@pytest.mark.parametrize("status", [pandoc.EXIT_HEAP, 1])
def test_what_repeats_itself_is_left_to_pylatexenc(tmp_path: Path, status: int) -> None:
    source = (
        r"\documentclass{a}\title{On \emph{kites}}\begin{document}\section{Wind}It blows $x^2$ \cite{k}, it does (\ref{w})."
        "\n\n"
        r"\begin{tabular}{l}1\end{tabular}\email{a@b.c}Next.\end{document}"
    )
    found = to_text(flat(source), Bibliography(), program=script(tmp_path / "pandoc", f"exit {status}"))
    assert found == ("On kites", "On kites\n\nWind\n\nIt blows $x^2$, it does.\n\nNext.", "pylatexenc")


def test_memory_is_bounded_by_the_exit_status_that_we_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pandoc, "HEAP", "24M")
    levels = "".join(
        rf"\def\{name}{{{(chr(92) + before) * 10}}}" for before, name in zip("ABCDE", "BCDEF", strict=True)
    )
    with pytest.raises(pandoc.PandocError) as caught:
        pandoc.tree(rf"\def\A{{x}}{levels}\F", soon())
    assert caught.value.status == pandoc.EXIT_HEAP


def test_pandoc_reads_no_files(tmp_path: Path) -> None:
    (tmp_path / "secret.tex").write_text("secret")
    assert b"secret" not in pandoc.tree(rf"a \input{{{tmp_path}/secret.tex}}", soon()).tree.replace(
        os.fsencode(tmp_path), b""
    )


def test_an_empty_environment_is_all_that_pandoc_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    assert b"SECRET" not in pandoc.tree("", soon(), program=script(tmp_path / "pandoc", "/usr/bin/env")).tree
