"""The vision transformer: gradients, what it can and cannot see, and what it refuses."""

import numpy as np
import pytest

from minitx import Tensor
from minitx.autograd.check import check_grads
from minitx.models.vision import ViT
from minitx.nn import functional_call


def images(rng, batch=2):
    return rng.normal(size=(batch, 6, 6, 2))


def model(classes=5, dtype=np.float64):
    made = ViT.plain(6, 3, 12, 3, 2, classes, channels=2, d_ff=7, rng=0).to(dtype)
    made.first.assign(np.random.default_rng(1).normal(size=(1, 12)))
    return made


def test_gradients(rng):
    vit = model()
    x = Tensor(images(rng), dtype=np.float64)
    for name in ("first", "position.weight", "patches.weight", "head.bias"):
        weight = dict(vit.named_parameters())[name]
        check_grads(
            lambda x, w, name=name: functional_call(vit, {name: w}, x),
            x.detach(), Tensor(weight.numpy(), dtype=np.float64),
        )  # fmt: skip


def test_loss_is_learnt_from_all_parameters(rng):
    vit = model()
    vit.loss(Tensor(images(rng), dtype=np.float64), np.array([4, 1])).backward()
    assert all(np.abs(p.grad.numpy()).max() > 0 for p in vit.parameters())


def test_every_pixel_is_seen_and_no_other_image(rng):
    vit, x = model(), Tensor(images(rng), dtype=np.float64, requires_grad=True)
    vit(x)[0].sum().backward()
    assert (x.grad.numpy()[0] != 0).all() and (x.grad.numpy()[1] == 0).all()


def test_without_positions_patches_are_a_set(rng):
    vit, x = model(), images(rng)
    moved = np.concatenate([x[:, 3:], x[:, :3]], axis=1)  # the rows of patches exchanged
    run = lambda x: vit(Tensor(x, dtype=np.float64)).numpy()  # noqa: E731
    assert np.abs(run(x) - run(moved)).max() > 1e-4
    vit.position.weight.assign(np.zeros((5, 12)))
    assert np.abs(run(x) - run(moved)).max() < 1e-12


def test_float32_stays_and_seeds_repeat(rng):
    one, two = (model(None, np.float32) for _ in range(2))
    x = images(rng).astype(np.float32)
    assert one(x).dtype == np.float32 and one(x).shape == (2, 12)
    assert one.hidden(x).shape == (2, 5, 12)
    assert (one(x).numpy() == two(x).numpy()).all()


def test_refuses_other_images(rng):
    with pytest.raises(ValueError, match=r"expected images .*6, 6, 2.*got \(2, 2, 6, 6\)"):
        model()(images(rng).transpose(0, 3, 1, 2))
    with pytest.raises(ValueError, match="do not tile"):
        ViT.plain(7, 3, 12, 3, 1)
