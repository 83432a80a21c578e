"""The network: a MiniLM encoder that also sees the form of each piece, two CRF taggers and a linker.

The encoder is BERT (Devlin et al. 2019) in the shape of all-MiniLM-L6 (6 layers, 384 wide, 12 heads). The taggers are
linear-chain CRFs (Lafferty et al. 2001) over BIOES tags that start afresh at each paragraph, since nothing annotated
crosses one. The linker scores, for each annotated span, which span is its attribution's head (the first cue, or the
first content where there is no cue), in the manner of a biaffine dependency parser (Dozat and Manning 2017).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.enrich.decode import DISTANCES, LINK_WIDTH, ORDERS, allowed, tags_of
from pipeline.enrich.wordpieces import CASINGS, FORMS, GAPS, QUOTES, SHAPES
from training.data import ENTITY_LABELS, ROLES

WIDTH, HEADS, LAYERS, INNER = 384, 12, 6, 1536
FORBIDDEN = -1e4


class Layer(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-12)
        self.up = nn.Linear(WIDTH, INNER)
        self.down = nn.Linear(INNER, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-12)
        self.dropout = dropout

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        b, t, d = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, HEADS, d // HEADS).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        a = self.out(a.transpose(1, 2).reshape(b, t, d))
        x = self.norm1(x + F.dropout(a, self.dropout, self.training))
        # tanh is the faster of the two on a CPU (8% of a step, 2026-11-23); the exported graph has the exact one
        h = F.gelu(self.up(x), approximate="tanh" if self.training else "none")
        return self.norm2(x + F.dropout(self.down(h), self.dropout, self.training))


class Crf(nn.Module):
    """Transition scores over BIOES tags; a paragraph's first piece takes ``first`` and its last ``last``."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__()
        self.tags = tags_of(labels)
        n = len(self.tags)
        self.between = nn.Parameter(torch.zeros(n, n))
        self.first = nn.Parameter(torch.zeros(n))
        self.last = nn.Parameter(torch.zeros(n))
        between, first, last = allowed(self.tags)
        self.register_buffer("no_between", torch.tensor(~between) * FORBIDDEN)
        self.register_buffer("no_first", torch.tensor(~first) * FORBIDDEN)
        self.register_buffer("no_last", torch.tensor(~last) * FORBIDDEN)

    def scores(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.between + self.no_between, self.first + self.no_first, self.last + self.no_last

    def loss(self, emissions: Tensor, gold: Tensor, begins: Tensor, mask: Tensor) -> Tensor:
        """Mean negative log-likelihood of a piece.

        ``emissions`` (batch, pieces, tags); ``gold`` (batch, pieces); ``begins`` and ``mask`` (batch, pieces) say where
        a paragraph starts (as each row's first piece must) and where there is a piece at all.
        """
        loss: Tensor = _CrfLoss.apply(emissions.float(), *self.scores(), gold, begins, mask)
        return loss


class _CrfLoss(torch.autograd.Function):
    """Forward-backward in probabilities scaled at each step, with the gradient written out.

    Left to autograd, the loops over pieces took a quarter of a training step; now a tenth of that (2026-11-23).
    """

    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx,
        emissions: Tensor,
        between: Tensor,
        first: Tensor,
        last: Tensor,
        gold: Tensor,
        begins: Tensor,
        mask: Tensor,
    ) -> Tensor:
        size = emissions.shape[1]
        count = mask.sum()
        # What the gold path scores
        at_gold = emissions.gather(2, gold[..., None]).squeeze(2)
        inner = mask & ~begins
        inner[:, 0] = False
        opens = mask & begins
        opens[:, 0] = True
        closes = mask.clone()
        closes[:, :-1] &= ~inner[:, 1:]
        pair = between[gold[:, :-1], gold[:, 1:]]
        best = (at_gold * mask).sum() + (pair * inner[:, 1:]).sum()
        best = best + (first[gold] * opens).sum() + (last[gold] * closes).sum()
        # What all paths score
        highest = emissions.amax(2, keepdim=True)
        e = (emissions - highest).exp()
        m, f, l = between.exp(), first.exp(), last.exp()  # noqa: E741
        rows, steps = e.transpose(0, 1).contiguous(), begins.t().contiguous()[..., None]
        live = mask.t().contiguous()[..., None]
        a = f * rows[0]
        scale = a.sum(1, keepdim=True)
        a = a / scale
        alphas, scales = [a], [scale]
        for t in range(1, size):
            step = torch.where(steps[t], (a @ l)[:, None] * f, a @ m) * rows[t]
            scale = step.sum(1, keepdim=True)
            a = torch.where(live[t], step / scale, a)
            alphas.append(a)
            scales.append(torch.where(live[t], scale, 1.0))
        total = torch.stack(scales).log().sum() + (highest.squeeze(2) * mask).sum() + (a @ l).log().sum()
        # And backwards
        b = l.expand_as(a)
        betas = [b]
        for t in range(size - 1, 0, -1):
            g = b * rows[t]
            step = torch.where(steps[t], (g @ f)[:, None] * l, g @ m.t())
            b = torch.where(live[t], step / step.sum(1, keepdim=True), b)
            betas.append(b)
        alpha, beta = torch.stack(alphas), torch.stack(betas[::-1])
        chance = alpha * beta
        chance = (chance / chance.sum(2, keepdim=True)).transpose(0, 1) * mask[..., None]
        ahead = beta[1:] * rows[1:]
        weight = ((alpha[:-1] @ m) * ahead).sum(2, keepdim=True)
        left = torch.where(inner.t()[1:, :, None], alpha[:-1] / weight.clamp_min(1e-30), 0.0)
        tags = emissions.shape[2]
        expected = m * (left.reshape(-1, tags).t() @ ahead.reshape(-1, tags))
        d_between, d_emissions = expected, chance.clone()
        d_first = (chance * opens[..., None]).sum((0, 1))
        d_last = (chance * closes[..., None]).sum((0, 1))
        d_emissions.scatter_add_(2, gold[..., None], -mask[..., None].float())
        flat = (gold[:, :-1] * tags + gold[:, 1:])[inner[:, 1:]]
        d_between = d_between - torch.bincount(flat, minlength=tags * tags).view(tags, tags)
        d_first = d_first - torch.bincount(gold[opens], minlength=tags)
        d_last = d_last - torch.bincount(gold[closes], minlength=tags)
        ctx.save_for_backward(d_emissions / count, d_between / count, d_first / count, d_last / count)
        return (total - best) / count

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[no-untyped-def]
        return *(grad * d for d in ctx.saved_tensors), None, None, None


class Linker(nn.Module):
    """Scores of span pairs (see ``pipeline.enrich.decode.link``, which does the same in numpy)."""

    def __init__(self) -> None:
        super().__init__()
        # of a piece: as first and as last piece of a dependent, the same of a head, and of a span that is its own head
        self.project = nn.Linear(WIDTH, 4 * LINK_WIDTH + 2)
        self.order = nn.Parameter(torch.zeros(3, 3, ORDERS))
        self.distance = nn.Parameter(torch.zeros(3, 3, DISTANCES))
        self.same = nn.Parameter(torch.zeros(3, 3, 2))
        self.alone = nn.Parameter(torch.zeros(3))


class Network(nn.Module):
    def __init__(self, vocabulary: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, WIDTH)
        self.positions = nn.Embedding(512, WIDTH)
        self.kind = nn.Parameter(torch.zeros(WIDTH))
        self.shape = nn.Embedding(SHAPES, WIDTH)
        self.gap = nn.Embedding(GAPS, WIDTH)
        self.quote = nn.Embedding(QUOTES, WIDTH)
        self.casing = nn.Embedding(CASINGS, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(LAYERS))
        self.entity_crf = Crf(ENTITY_LABELS)
        self.role_crf = Crf(ROLES)
        self.entity_head = nn.Linear(WIDTH, len(self.entity_crf.tags))
        self.role_head = nn.Linear(WIDTH, len(self.role_crf.tags))
        self.linker = Linker()
        self.dropout = dropout
        for table in (self.shape, self.gap, self.quote, self.casing):
            nn.init.zeros_(table.weight)  # so that training starts from the encoder as it was pretrained
        for head in (self.entity_head, self.role_head, self.linker.project):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def load_pretrained(self, weights: dict[str, Tensor]) -> None:
        """Takes over a BERT checkpoint with the Hugging Face names."""
        with torch.no_grad():
            self.words.weight.copy_(weights["embeddings.word_embeddings.weight"])
            self.positions.weight.copy_(weights["embeddings.position_embeddings.weight"])
            self.kind.copy_(weights["embeddings.token_type_embeddings.weight"][0])
            self.norm.weight.copy_(weights["embeddings.LayerNorm.weight"])
            self.norm.bias.copy_(weights["embeddings.LayerNorm.bias"])
            for i, layer in enumerate(self.layers):
                assert isinstance(layer, Layer)
                at = f"encoder.layer.{i}."
                for part in ("weight", "bias"):
                    attention = [weights[f"{at}attention.self.{n}.{part}"] for n in ("query", "key", "value")]
                    getattr(layer.qkv, part).copy_(torch.cat(attention))
                    getattr(layer.out, part).copy_(weights[f"{at}attention.output.dense.{part}"])
                    getattr(layer.norm1, part).copy_(weights[f"{at}attention.output.LayerNorm.{part}"])
                    getattr(layer.up, part).copy_(weights[f"{at}intermediate.dense.{part}"])
                    getattr(layer.down, part).copy_(weights[f"{at}output.dense.{part}"])
                    getattr(layer.norm2, part).copy_(weights[f"{at}output.LayerNorm.{part}"])

    def form_table(self) -> Tensor:
        """(FORMS, WIDTH): the sum of the four parts of each form."""
        forms = torch.arange(FORMS)
        shape, rest = forms % SHAPES, forms // SHAPES
        gap, rest = rest % GAPS, rest // GAPS
        quote, casing = rest % QUOTES, rest // QUOTES
        return self.shape(shape) + self.gap(gap) + self.quote(quote) + self.casing(casing)

    def encode(self, ids: Tensor, forms: Tensor, mask: Tensor | None) -> Tensor:
        """(batch, pieces, WIDTH). ``mask`` (batch, pieces) is true where there is a piece; None: everywhere."""
        x = self.words(ids) + self.positions.weight[: ids.shape[1]] + self.kind
        x = self.norm(x + F.embedding(forms, self.form_table()))
        x = F.dropout(x, self.dropout, self.training)
        wide = None if mask is None else mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, wide)
        return F.dropout(x, self.dropout, self.training)
