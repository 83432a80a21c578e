"""Writes a trained network as a model folder: ``python -m training.export build/training/average.pt FOLDER``.

The graph is put together by hand from onnxruntime's own fused operators, which is shorter than tracing the network
and fusing it afterwards, and leaves nothing to a converter's version. Weights of the encoder's matrices are int8, one
scale a column; word vectors are int8, one scale a row; the heads stay in float32.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from pipeline.enrich.decode import LINK_WIDTH
from pipeline.enrich.tagger import FORMAT
from pipeline.enrich.wordpieces import cut_into_pieces
from training.data import ENTITY_LABELS, ROLES
from training.model import HEADS, LAYERS, Crf, Layer, Network
from training.passages import CALIBRATION
from training.train import load_tokenizer, pretrained_folder

OWN = "com.microsoft"  # onnxruntime's operator set
WINDOW, OVERLAP = 192, 32  # pieces; of 128 to 384 and 24 to 48 the best on dev and the second fastest (2026-11-23)


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, value: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind: str, inputs: list[str], name: str, domain: str = "", **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes))
        return name


def quantised(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 values of an (in, out) matrix and the scale of each column."""
    scale = np.maximum(np.abs(matrix).max(0), 1e-8) / 127.0
    return np.clip(np.rint(matrix / scale), -127, 127).astype(np.int8), scale.astype(np.float32)


def calibrate(network: Network, tokenizer: Tokenizer, texts: Sequence[str]) -> dict[str, np.ndarray]:
    """For each matrix of the encoder, the greatest absolute value each of its inputs takes on some texts."""
    greatest: dict[str, np.ndarray] = {}

    def watch(name: str) -> Callable[..., None]:
        def hook(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...], __: torch.Tensor) -> None:
            found = inputs[0].detach()[0].abs().amax(0).numpy()
            greatest[name] = np.maximum(greatest.get(name, np.float32(0)), found)

        return hook

    handles = [
        getattr(layer, part).register_forward_hook(watch(f"l{i}.{part}"))
        for i, layer in enumerate(network.layers)
        for part in ("qkv", "out", "up", "down")
    ]
    before, after = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    with torch.no_grad():
        for text in texts:
            pieces = cut_into_pieces(tokenizer, text)
            ids = [before, *pieces.ids[: WINDOW - 2].tolist(), after]
            forms = [0, *pieces.forms[: WINDOW - 2].tolist(), 0]
            network.encode(torch.tensor([ids]), torch.tensor([forms]), None)
    for handle in handles:
        handle.remove()
    return greatest


def build(network: Network, greatest: dict[str, np.ndarray] | None) -> onnx.ModelProto:
    """The graph: ``ids`` and ``forms`` (1, pieces) int64 in; ``entities``, ``roles``, ``links`` (1, pieces, …) out.

    ``greatest`` are the inputs' ranges as ``calibrate`` finds them; None keeps the whole graph in float32.
    """
    g = _Graph()
    int8 = greatest is not None

    def array(t: torch.Tensor) -> np.ndarray:
        return t.detach().numpy().astype(np.float32)

    def smoothed(x: str, matrix: np.ndarray, name: str) -> tuple[str, np.ndarray]:
        """Moves range from inputs to weights (after Xiao et al. 2023, SmoothQuant), for the few inputs that need it.

        A handful of MiniLM's inputs are twenty times as large as the rest, and int8 with one scale for all would leave
        the rest three bits. Bringing them down to three times the median halves the error of the emissions; smoothing
        every input, as the paper does, made it larger (2026-11-23).
        """
        assert greatest is not None
        usual = 3 * float(np.median(greatest[name]))
        by = np.maximum(1, greatest[name] / usual).astype(np.float32)
        return g.op("Mul", [x, g.weight(f"{name}.by", 1 / by)], f"{name}.x"), matrix * by[:, None]

    def dense(x: str, linear: torch.nn.Linear, name: str) -> str:
        matrix = array(linear.weight).T
        if not int8:
            y = g.op("MatMul", [x, g.weight(f"{name}.w", matrix)], f"{name}.m")
            return g.op("Add", [y, g.weight(f"{name}.b", array(linear.bias))], f"{name}.o")
        if name.endswith(("up", "down")):  # the other two kinds of input have no such outliers
            x, matrix = smoothed(x, matrix, name)
        values, scale = quantised(matrix)
        inputs = [x, g.weight(f"{name}.w", values), g.weight(f"{name}.s", scale), ""]
        return g.op("DynamicQuantizeMatMul", [*inputs, g.weight(f"{name}.b", array(linear.bias))], f"{name}.o", OWN)

    def attention(x: str, linear: torch.nn.Linear, name: str) -> str:
        matrix, bias = array(linear.weight).T, g.weight(f"{name}.b", array(linear.bias))
        if not int8:
            return g.op("Attention", [x, g.weight(f"{name}.w", matrix), bias], f"{name}.a", OWN, num_heads=HEADS)
        values, scale = quantised(matrix)
        g.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], [f"{name}.q", f"{name}.qs", f"{name}.qz"]))
        w, s = g.weight(f"{name}.w", values), g.weight(f"{name}.s", scale)
        zero = g.weight(f"{name}.z", np.zeros(len(scale), np.int8))
        inputs = [f"{name}.q", w, bias, f"{name}.qs", s, "", f"{name}.qz", zero]
        return g.op("QAttention", inputs, f"{name}.a", OWN, num_heads=HEADS)

    def norm(x: str, layer: torch.nn.LayerNorm, name: str) -> str:
        inputs = [x, g.weight(f"{name}.g", array(layer.weight)), g.weight(f"{name}.b", array(layer.bias))]
        return g.op("LayerNormalization", inputs, f"{name}.o", axis=-1, epsilon=1e-12)

    words = array(network.words.weight)
    if int8:
        values, scale = quantised(words.T)
        looked = g.op("Gather", [g.weight("words", values.T), "ids"], "words.i")
        looked = g.op("Cast", [looked], "words.f", to=TensorProto.FLOAT)
        scales = g.op("Gather", [g.weight("words.s", scale[:, None]), "ids"], "words.k")
        looked = g.op("Mul", [looked, scales], "words.o")
    else:
        looked = g.op("Gather", [g.weight("words", words), "ids"], "words.o")
    forms = g.op("Gather", [g.weight("forms.t", array(network.form_table())), "forms"], "forms.o")
    zero, one = g.weight("zero", np.array([0], np.int64)), g.weight("one", np.array([1], np.int64))
    length = g.op("Slice", [g.op("Shape", ["ids"], "shape"), one, g.weight("two", np.array([2], np.int64))], "n")
    places = g.weight("positions", array(network.positions.weight + network.kind))
    position = g.op("Slice", [places, zero, length, zero], "positions.o")
    x = g.op("Add", [g.op("Add", [looked, forms], "sum1"), position], "sum2")
    x = norm(x, network.norm, "norm")
    for i, layer in enumerate(network.layers):
        assert isinstance(layer, Layer)
        a = dense(attention(x, layer.qkv, f"l{i}.qkv"), layer.out, f"l{i}.out")
        x = norm(g.op("Add", [x, a], f"l{i}.r1"), layer.norm1, f"l{i}.n1")
        h = dense(x, layer.up, f"l{i}.up")
        h = g.op("Gelu", [h], f"l{i}.gelu", OWN)
        x = norm(g.op("Add", [x, dense(h, layer.down, f"l{i}.down")], f"l{i}.r2"), layer.norm2, f"l{i}.n2")
    outputs = []
    heads = (("entities", network.entity_head), ("roles", network.role_head), ("links", network.linker.project))
    for name, head in heads:
        y = g.op("MatMul", [x, g.weight(f"{name}.w", array(head.weight).T)], f"{name}.m")
        g.op("Add", [y, g.weight(f"{name}.b", array(head.bias))], name)
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "pieces", head.out_features]))
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, [1, "pieces"]) for n in ("ids", "forms")]
    graph = helper.make_graph(g.nodes, "tagger", inputs, outputs, g.weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(OWN, 1)]
    assert len(network.layers) == LAYERS
    return helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="wirewatch training.export")


def _numbers(t: torch.Tensor) -> object:
    return np.round(t.detach().numpy().astype(float), 5).tolist()


def _chain(crf: Crf, labels: tuple[str, ...]) -> dict[str, object]:
    between, first, last = crf.scores()
    return {
        "labels": labels,
        "tags": crf.tags,
        "between": _numbers(between),
        "first": _numbers(first),
        "last": _numbers(last),
    }


def export(
    weights: Path, folder: Path, *, name: str, version: str, int8: bool, window: int = WINDOW, overlap: int = OVERLAP
) -> None:
    """Writes ``model.onnx``, ``tokenizer.json`` and ``config.json`` into ``folder``."""
    tokenizer = load_tokenizer(pretrained_folder() / "tokenizer.json")
    network = Network(tokenizer.get_vocab_size())
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.eval()
    folder.mkdir(parents=True, exist_ok=True)
    greatest = calibrate(network, tokenizer, CALIBRATION) if int8 else None
    onnx.save(build(network, greatest), str(folder / "model.onnx"))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    linker = network.linker
    config = {
        "format": FORMAT,
        "name": name,
        "version": version,
        "language": "en",
        "window": window,
        "overlap": overlap,
        "cls": tokenizer.token_to_id("[CLS]"),
        "sep": tokenizer.token_to_id("[SEP]"),
        "entities": _chain(network.entity_crf, ENTITY_LABELS),
        "roles": _chain(network.role_crf, ROLES),
        "links": {
            "width": LINK_WIDTH,
            **{part: _numbers(getattr(linker, part)) for part in ("order", "distance", "same", "alone")},
        },
        "sha256": {
            file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in ("model.onnx", "tokenizer.json")
        },
    }
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", default="wire-en")
    parser.add_argument("--version", required=True, help="the date of training, as 2026.11.23")
    parser.add_argument("--float32", action="store_true", help="for comparison; four times the size")
    parser.add_argument("--window", type=int, default=WINDOW)
    parser.add_argument("--overlap", type=int, default=OVERLAP)
    args = parser.parse_args()
    export(
        args.weights,
        args.folder,
        name=args.name,
        version=args.version,
        int8=not args.float32,
        window=args.window,
        overlap=args.overlap,
    )


if __name__ == "__main__":
    main()
