"""textacy's direct quotations and the entities of en_core_web_sm, in a virtual environment of their own.

The model is not on PyPI; a wheel of it can be named by ``--spacy-wheel``. Without one, pip is asked for it by its name,
once, and where pip has none there is no such peer.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.peers.worker import Unavailable, Worker, serve

MODEL = "en_core_web_sm"
NAME = f"textacy + {MODEL}"
NOTE = f"{NAME}: textacy.extract.direct_quotations, doc.ents; defaults. Direct quotations only."
DOES = frozenset({"source", "cue", "content", "claim", "quoted", "entities"})


def start(wheel: Path | None = None) -> Worker:
    """Loads the model. Raises Unavailable where pip has no wheel of it, or cannot install it with textacy."""
    from platformdirs import user_cache_path  # not in the worker's environment, which imports this module too

    folder = user_cache_path("wirewatch-bench") / "textacy"
    python = folder / "venv" / "bin" / "python"
    marker = folder / "ready"
    if wheel is not None or not marker.exists():
        folder.mkdir(parents=True, exist_ok=True)
        marker.unlink(missing_ok=True)
        if not python.exists():
            _run([sys.executable, "-m", "venv", str(folder / "venv")])
        if wheel is None:
            _run([str(python), "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
                  "--dest", str(folder), MODEL])  # fmt: skip
            wheel = next(folder.glob("en_core_web_sm-*.whl"))
        _run([str(python), "-m", "pip", "install", "--quiet", "textacy", str(wheel.resolve())])
        marker.touch()
    return Worker([str(python), "-m", "bench.peers.spacy_textacy"])


def told(answer: Any, text: str) -> list[dict[str, list[list[int]]]]:
    return list(answer)


def entities(answer: Any, text: str) -> list[tuple[int, int, str]]:
    return [(start, end, label) for start, end, label in answer]


def _run(command: list[str]) -> None:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        lines = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
        said = lines[-1] if lines else f"exit status {run.returncode}"
        raise Unavailable(f"pip says {said!r}; a wheel of {MODEL} from elsewhere can be named with --spacy-wheel.")


def main() -> None:
    import spacy  # type: ignore[import-not-found]
    from textacy.extract import direct_quotations  # type: ignore[import-not-found]

    nlp = spacy.load(MODEL)

    def claims(text: str) -> list[dict[str, list[list[int]]]]:
        return [
            {
                "source": [_extent(quotation.speaker)],
                "cue": [_extent(quotation.cue)],
                "content": [_extent(quotation.content)],
            }
            for quotation in direct_quotations(nlp(text))
        ]

    serve(
        {
            "claims": claims,
            "entities": lambda text: [[e.start_char, e.end_char, e.label_] for e in nlp(text).ents],
        }
    )


def _extent(tokens: Any) -> list[int]:
    """From the first character of some tokens (a span or a list) to their last."""
    return [tokens[0].idx, tokens[-1].idx + len(tokens[-1])]


if __name__ == "__main__":
    main()
