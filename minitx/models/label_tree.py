"""Very many labels as the leaves of a tree: a few branches are followed, few labels are scored.

Level t of the tree has ``branching[0] * ... * branching[t]`` nodes; the children of node i are the
nodes i b ... i b + b - 1 of the next level, so the tree is no more than the order of the labels.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.depth.stack import Stack
from minitx.models.encoder import Encoder, Pooling
from minitx.models.pooling import first_token
from minitx.models.sequence import read_valid


class Shortlist(NamedTuple):
    """What was scored at one level: labels (B, K) of the level, their logits and log scores.

    A label's score is the product of the probabilities along its path.
    """

    labels: Any
    logits: Tensor
    log_scores: Tensor


class LabelTree(nn.Module):
    """score(label) = prod over its path of sigmoid(w_node . feature of that level + b_node).

    ``features`` is a sequence of Tensors (B, D), one a level. Only the children of the ``k`` best
    nodes of a level are scored at the next: all of the first level, then k times the branching.

    Source: Kharbanda et al., "CascadeXML" (2022): top-k with ground truth added = ``truth``.
    """

    def __init__(self, d_model: int, branching: Sequence[int], rng: Any = None):
        if not branching or min(branching) < 1:
            raise ValueError(f"expected a branching of 1 or more a level, got {branching}")
        rng = backend.generator(rng)
        self.branching = tuple(branching)
        self.sizes = tuple(int(n) for n in np.cumprod(branching))  # nodes of each level
        scale = d_model**-0.5
        self.vectors = [nn.Parameter(scale * rng.standard_normal((n, d_model))) for n in self.sizes]
        self.biases = [nn.Parameter(np.zeros(n)) for n in self.sizes]

    def forward(self, features: Sequence[Tensor], k: int, truth: Any = None) -> list[Shortlist]:
        """The shortlists of all levels; true nodes are followed in any case.

        truth: boolean (B, L), which labels are true.
        """
        if len(features) != len(self.sizes):
            raise ValueError(f"expected {len(self.sizes)} features, got {len(features)}")
        xp = backend.namespace(features[0].data)
        all_nodes = xp.arange(self.sizes[0])
        labels = xp.broadcast_to(all_nodes, (features[0].shape[0], self.sizes[0]))
        above, found = None, []
        for level, feature in enumerate(features):
            if found:
                chosen = self._best(found[-1], k, truth, level - 1)  # (B, k), places
                labels = self._children(xp.take_along_axis(labels, chosen, 1), level)
                kept = F.take_along_axis(found[-1].log_scores, chosen, axis=1)
                above = F.repeat(kept, self.branching[level], axis=1)
            logits = self._logits(level, feature, labels)
            log_scores = -F.softplus(-logits)
            found.append(
                Shortlist(labels, logits, log_scores if above is None else above + log_scores)
            )
        return found

    def log_scores(self, features: Sequence[Tensor]) -> Tensor:
        """The log scores (B, L) of all labels: what following every branch comes to."""
        total = None
        for vectors, bias, feature in zip(self.vectors, self.biases, features, strict=True):
            one = -F.softplus(-F.linear(feature, vectors, bias))  # (B, nodes)
            if total is not None:
                one = one + F.repeat(total, one.shape[1] // total.shape[1], axis=1)
            total = one
        return total

    def loss(self, features: Sequence[Tensor], truth: Any, k: int) -> Tensor:
        """The cross-entropy of "is it true?", summed over shortlists, averaged over the rows."""
        total = 0.0
        for level, short in enumerate(self(features, k, truth)):
            xp = backend.namespace(short.logits.data)
            true = xp.take_along_axis(self.truth_at(truth, level), short.labels, 1)
            total = total + F.sum(F.softplus(F.where(true, -short.logits, short.logits)))
        return total / features[0].shape[0]

    def truth_at(self, truth: Any, level: int) -> Any:
        """Which nodes of a level have a true label below them: (B, nodes)."""
        return truth.reshape(len(truth), self.sizes[level], -1).any(-1)

    def _best(self, short: Shortlist, k: int, truth: Any, level: int) -> Any:
        """Places (B, k) in a shortlist of its best nodes, the true ones before all others."""
        scores = short.log_scores.data
        xp = backend.namespace(scores)
        if truth is not None:
            true = xp.take_along_axis(self.truth_at(truth, level), short.labels, 1)
            scores = xp.where(true, scores + 1e6, scores)
        return xp.argsort(-scores, axis=1)[:, : min(k, scores.shape[1])]

    def _children(self, nodes: Any, level: int) -> Any:
        b = self.branching[level]
        children = nodes[:, :, None] * b + backend.namespace(nodes).arange(b)  # (B, k, b)
        return children.reshape(len(nodes), -1)

    def _logits(self, level: int, feature: Tensor, labels: Any) -> Tensor:
        ids = wrap(labels, None)
        vectors = F.embedding(self.vectors[level], ids)  # (B, K, D)
        products = F.squeeze(vectors @ F.expand_dims(feature, -1), -1)  # (B, K)
        return products + self.biases[level][labels]


class EveryLayer(Stack):
    """Blocks one after the other, and what each of them gave: (B, T, D) -> (L, B, T, D)."""

    def forward(self, x: Tensor, ctx: Any = None) -> Tensor:
        found = []
        for block in self.blocks:
            x = block(x, ctx)
            found.append(x)
        return F.stack(found)


class CascadeXML(nn.Module):
    """Early layers choose among thick branches, later layers among the twigs below them.

    ids (B, T) -> the shortlists of a tree with ``branching``, level t of which reads what
    ``pooling`` makes of block ``layers[t]`` (from 1) of an encoder built from a Stack.

    Source: Kharbanda et al., "CascadeXML" (2022).
    """

    def __init__(
        self,
        encoder: Encoder,
        branching: Sequence[int],
        layers: Sequence[int],
        pooling: Pooling = first_token,
        rng: Any = None,
    ):
        if len(layers) != len(branching):
            raise ValueError(f"expected a layer for each of {len(branching)} levels, got {layers}")
        d_model = encoder.tokens.weight.shape[1]
        encoder.depth = EveryLayer(encoder.depth.blocks)
        self.encoder, self.layers, self.pooling = encoder, tuple(layers), pooling
        self.tree = LabelTree(d_model, branching, rng)

    def features(self, ids: Any, valid: Any = None) -> list[Tensor]:
        """One vector (B, D) for each level."""
        hidden = self.encoder(ids, valid)  # (L, B, T, D)
        there = read_valid(valid, np.shape(ids))
        return [self.pooling(hidden[layer - 1], there) for layer in self.layers]

    def forward(self, ids: Any, k: int, valid: Any = None) -> list[Shortlist]:
        return self.tree(self.features(ids, valid), k)

    def loss(self, ids: Any, truth: Any, k: int, valid: Any = None) -> Tensor:
        """``LabelTree.loss`` for truth (B, L)."""
        return self.tree.loss(self.features(ids, valid), truth, k)
