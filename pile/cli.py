"""The entry point of the command line: what is wrong becomes one line and an exit status.

It imports next to nothing, since every worker process runs the script that began the build, which imports this.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pile.errors import PileError


def main() -> None:
    """Run the command line; every error of ours is one line, without a traceback."""
    import pile.train_command
    import pile.weights_command  # noqa: F401  they add their commands to the others
    from pile.commands import app

    try:
        app(args=_with_each_file(_with_bare_ray(sys.argv[1:])))
    except PileError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_status) from None
    except BrokenPipeError:  # the reader of our output is gone
        raise SystemExit(0) from None
    except OSError as error:  # a full or broken disk, a folder that may not be written
        place = f" {error.filename}:" if error.filename else ""
        print(f"error:{place} {error.strerror or error}; run the same command again once it is mended", file=sys.stderr)
        raise SystemExit(1) from None


def _with_bare_ray(arguments: list[str]) -> list[str]:
    """``--ray`` takes an address or nothing: a bare one becomes ``--ray ""``."""
    done: list[str] = []
    for place, argument in enumerate(arguments):
        done.append(argument)
        after = arguments[place + 1] if place + 1 < len(arguments) else "-"
        if argument == "--ray" and (after.startswith("-") or after.endswith(".toml") or Path(after).is_file()):
            done.append("")
    return done


def _with_each_file(arguments: list[str]) -> list[str]:
    """``--positive a b`` becomes ``--positive a --positive b``: a shell makes several files of one pattern."""
    if arguments[:1] != ["train"]:
        return arguments
    done: list[str] = []
    option = ""
    for argument in arguments:
        if argument.startswith("-"):
            option = argument if argument in ("--positive", "--negative") else ""
        elif option and done[-1] != option:
            done.append(option)
        done.append(argument)
    return done
