"""Models whose norms are taken into the linear maps behind them, and XCiT."""

import numpy as np
import pytest

from minitx import Tensor, nn
from minitx.block import Block
from minitx.channel_mixers import GLU, MLP
from minitx.connections import PostNorm
from minitx.depth import Stack
from minitx.models import ViT, XCiT, folded
from minitx.token_mixers import MultiHeadAttention

D, SHAPE = 12, (4, 6, 2)


def images(count=5, seed=0):
    values = np.random.default_rng(seed).standard_normal((count, *SHAPE))
    return Tensor(values, dtype=np.float64)


def classifier(norm=lambda: nn.ProgressiveNorm(D), channel_mixer=MLP, **options):
    def block():
        attention = MultiHeadAttention(D, 3, rng=0)
        return Block(attention, channel_mixer(D, rng=1), norm=norm, **options)

    patches, depth = nn.Linear(8, D, rng=2), Stack([block(), block()])
    model = ViT(SHAPE, 2, patches, depth, norm(), num_classes=7, rng=3).to(np.float64)
    nn.set_share(model, step=1, steps=2)
    for seed in range(3):  # running statistics
        model(images(seed=seed))
    return model


@pytest.mark.parametrize("channel_mixer", [MLP, GLU])
def test_the_folded_model_is_the_model_without_its_norms(channel_mixer):
    model, x = classifier(channel_mixer=channel_mixer), images(seed=9)
    bare = folded(model)
    np.testing.assert_allclose(bare(x).numpy(), model.eval()(x).numpy(), atol=1e-10)
    kinds = (nn.LayerNorm, nn.BatchNorm)
    assert not any(isinstance(part, kinds) for part in bare.modules())
    assert sum(isinstance(part, kinds) for part in model.modules()) == 10


def test_the_model_itself_stays_as_it_is():
    model, x = classifier(), images()
    before = {name: value.copy() for name, value in model.state_dict().items()}
    folded(model)(x)
    assert model.training
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_other_norms_stay_and_other_places_are_named():
    kept = folded(classifier(norm=lambda: nn.LayerNorm(D)))
    assert sum(isinstance(part, nn.LayerNorm) for part in kept.modules()) == 5
    with pytest.raises(ValueError, match=r"a Linear behind each batch norm, found none for \['dep"):
        folded(classifier(connection=PostNorm()))


def test_xcit_classifies_images_and_its_local_part_knows_the_grid():
    model = XCiT.plain(SHAPE, 1, D, 3, 2, 7, rng=0).to(np.float64)
    x = images()
    assert model(x).shape == (5, 7)
    loss = model.loss(x, np.array([0, 1, 2, 3, 6]))
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    model.eval()
    model.position.weight.assign(0 * model.position.weight.numpy())
    turned = Tensor(x.numpy()[:, ::-1], dtype=np.float64)
    assert np.abs(model(turned).numpy() - model(x).numpy()).max() > 1e-6
    for block in model.depth.blocks:  # without the local part a bag of pixels is all there is
        block.connection.additions[1].scale.assign(np.zeros(D))
    np.testing.assert_allclose(model(turned).numpy(), model(x).numpy(), atol=1e-10)


def test_images_of_another_shape_are_named():
    model = XCiT.plain(SHAPE, 2, D, 3, 1, 7, rng=0)
    with pytest.raises(ValueError, match=r"images \(B, \*\(4, 6, 2\)\), got \(5, 6, 4, 2\)"):
        model(np.zeros((5, 6, 4, 2), np.float32))
    with pytest.raises(ValueError, match="patches of 4 do not tile images of 4 x 6"):
        XCiT.plain(SHAPE, 4, D, 3, 1, 7)
