"""Stanford CoreNLP from Maven Central: named entities, and quotations with the speaker's mention.

Maven brings the jars (484 MB, once) into the cache folder of this bench; their checksums stand here. CoreNLP gives no
cues and knows direct quotations only. Its offsets count UTF-16 units; they are turned into characters here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from bench.peers.worker import Unavailable, Worker

VERSION = "4.5.10"
"""The newest on Maven Central on 2026-11-23."""
SHA256 = {
    f"stanford-corenlp-{VERSION}.jar": "f813ce4ed7319d79225f2a520d40733075c6b3500dd0b81ee069229e461aab43",
    f"stanford-corenlp-{VERSION}-models.jar": "a5da9f6feb35a0fd2ea2cbe8909bede3952965b238a68c833ae3e031ed9026a0",
}
HEAP = "3g"
CLAIMS = "tokenize,ssplit,pos,lemma,ner,depparse,coref,quote"
ENTITIES = "tokenize,ssplit,pos,lemma,ner"
SETTINGS = ("coref.algorithm=statistical", "quote.attributeQuotes=true", "ner.applyFineGrained=false")
"""Without the fine-grained labels CoreNLP fares better (2026-11-23): on 30 documents of newswire dev F1 73.3 with
MISC as NORP, 71.1 with them (NATIONALITY, RELIGION, IDEOLOGY as NORP), which split long names of places."""

NAME = f"CoreNLP {VERSION}"
NOTE = (
    f"{NAME}: {CLAIMS}; {', '.join(SETTINGS)}, else defaults; heap -Xmx{HEAP}; MISC read as NORP. "
    "Direct quotations only, no cues."
)
DOES = frozenset({"source", "content", "claim", "quoted", "entities"})

LABELS = {"PERSON": "PERSON", "ORGANIZATION": "ORG", "LOCATION": "LOC", "MISC": "NORP"}
# CoreNLP lists these among its entity mentions, for its relation extractor; the corpus has no pronouns.
PRONOUNS = frozenset({"he", "him", "his", "himself", "she", "her", "hers", "herself"})

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>bench</groupId>
  <artifactId>peers</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>edu.stanford.nlp</groupId>
      <artifactId>stanford-corenlp</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>edu.stanford.nlp</groupId>
      <artifactId>stanford-corenlp</artifactId>
      <version>{VERSION}</version>
      <classifier>models</classifier>
    </dependency>
  </dependencies>
</project>
"""


def start() -> Worker:
    """Loads the models. Raises Unavailable where Java, Maven or the jars cannot be had."""
    java = shutil.which("java")
    if java is None:
        raise Unavailable("there is no Java on this machine.")
    source = Path(__file__).with_name("CoreNlpWorker.java")
    return Worker([java, f"-Xmx{HEAP}", "-cp", _classpath(), str(source), CLAIMS, ENTITIES, *SETTINGS])


def told(answer: Mapping[str, Any], text: str) -> list[dict[str, list[list[int]]]]:
    """Quotations as claims: the mention of the speaker is the source, the quotation with its marks the content."""
    tokens = [token for sentence in answer["sentences"] for token in sentence["tokens"]]
    at = _characters(text)
    claims = []
    for quote in answer["quotes"]:
        source = []
        if "mentionBegin" in quote:
            first, last = tokens[quote["mentionBegin"]], tokens[quote["mentionEnd"]]
            source = [[at(first["characterOffsetBegin"]), at(last["characterOffsetEnd"])]]
        claims.append({"source": source, "cue": [], "content": [[at(quote["beginIndex"]), at(quote["endIndex"])]]})
    return claims


def entities(answer: Mapping[str, Any], text: str) -> list[tuple[int, int, str]]:
    at = _characters(text)
    return [
        (at(mention["characterOffsetBegin"]), at(mention["characterOffsetEnd"]), LABELS[mention["ner"]])
        for sentence in answer["sentences"]
        for mention in sentence["entitymentions"]
        if mention["ner"] in LABELS and mention["text"].lower() not in PRONOUNS
    ]


def _characters(text: str) -> Callable[[int], int]:
    """Turns an offset in UTF-16 units, as Java counts, into one in characters."""
    wide = [at for at, character in enumerate(text) if character > "\uffff"]
    ends = [at + 2 + before for before, at in enumerate(wide)]
    return lambda offset: offset - bisect_right(ends, offset)


def _classpath() -> str:
    folder = user_cache_path("wirewatch-bench") / "corenlp"
    listing = folder / f"classpath-{VERSION}"
    if not listing.exists() or not all(Path(jar).exists() for jar in _jars(listing)):
        maven = shutil.which("mvn")
        if maven is None:
            raise Unavailable("there is no Maven (mvn) on this machine to bring it with.")
        folder.mkdir(parents=True, exist_ok=True)
        pom = folder / "pom.xml"
        pom.write_text(_POM, encoding="utf-8")
        listing.unlink(missing_ok=True)
        print(f"bringing CoreNLP {VERSION} (484 MB) from Maven Central to {folder} …", file=sys.stderr, flush=True)
        run = subprocess.run(
            [
                maven, "--batch-mode", "--quiet", "--strict-checksums", "-f", str(pom),
                f"-Dmaven.repo.local={folder / 'm2'}", "dependency:build-classpath", f"-Dmdep.outputFile={listing}",
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if run.returncode or not listing.exists():
            said = [line for line in (run.stdout + run.stderr).splitlines() if "ERROR" in line]
            raise Unavailable(f"Maven could not bring it ({said[0] if said else f'exit status {run.returncode}'}).")
    jars = _jars(listing)
    for name, right in SHA256.items():
        path = next((Path(jar) for jar in jars if Path(jar).name == name), None)
        if path is None:
            raise Unavailable(f"{name} is not among the jars that Maven brought.")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != right:
                raise Unavailable(f"{path} has another checksum than the one that is pinned; delete it to try again.")
    return os.pathsep.join(jars)


def _jars(listing: Path) -> Sequence[str]:
    return listing.read_text(encoding="utf-8").strip().split(os.pathsep)
