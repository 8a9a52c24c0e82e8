"""Every loss against plain numpy, and its gradient against what it should move."""

import numpy as np
import pytest
import torch

from nndacss.cyclegan import losses
from nndacss.cyclegan.learner import DISCRIMINATORS, GENERATORS, CycleGAN
from nndacss.cyclegan.settings import CycleGANSettings
from nndacss.models.cyclegan import Discriminator
from nndacss.models.separable_unet import CloudNet

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"df_gen": 3, "df_disc": 2, "batch_size": 2}


def drawn(seed, *shape, level=0.3):
    rng = np.random.default_rng(seed)
    return torch.from_numpy((level + 0.1 * rng.standard_normal(shape)).astype(np.float32))


def sigmoid(x):
    return 1 / (1 + np.exp(-x.astype(np.float64)))


def test_cross_entropies():
    real, fake = drawn(0, 3, 1, 4, 4).numpy() * 5, drawn(1, 3, 1, 4, 4).numpy() * -5
    found = losses.fooling(torch.from_numpy(fake))
    assert float(found) == pytest.approx(-np.log(sigmoid(fake)).mean(), rel=1e-5)
    told = losses.telling(torch.from_numpy(real), torch.from_numpy(fake))
    right = 0.5 * (-np.log(sigmoid(real)).mean() - np.log(1 - sigmoid(fake)).mean())
    assert float(told) == pytest.approx(right, rel=1e-5)
    # a discriminator that knows nothing pays ln 2
    assert float(losses.telling(torch.zeros(2), torch.zeros(2))) == pytest.approx(np.log(2))


def test_divergence_is_clipped_and_has_a_direction():
    p, q = np.array([0.0, 1.0, 0.3, 0.3]), np.array([0.0, 0.0, 0.3, 0.6])
    found = losses.divergence(torch.from_numpy(p), torch.from_numpy(q))
    a, b = np.clip(p, 1e-6, 1 - 1e-6), np.clip(q, 1e-6, 1 - 1e-6)
    right = np.mean(a * np.log(a / b) + (1 - a) * np.log((1 - a) / (1 - b)))
    assert float(found) == pytest.approx(right, rel=1e-9)
    # by hand: cloud that became clear costs ln(1e6), 0.3 to 0.6 costs 0.3 ln 0.5 + 0.7 ln 1.75
    hand = (np.log(1e6) + 0.3 * np.log(0.5) + 0.7 * np.log(1.75)) / 4
    assert float(found) == pytest.approx(hand, rel=1e-4)
    assert float(losses.divergence(torch.from_numpy(q), torch.from_numpy(p))) != found


def test_penalty_of_a_linear_discriminator_by_hand():
    weight = drawn(2, 4, 8, 8)
    found = losses.penalty(lambda x: (x * weight).sum((1, 2, 3)), drawn(3, 5, 4, 8, 8))
    # each image's slope is the weight over the batch's five
    assert found.item() == pytest.approx(float((weight**2).sum()) / 25, rel=1e-5)


def test_penalty_against_finite_differences():
    torch.manual_seed(0)
    network = Discriminator(filters=2).double().eval()
    real = drawn(4, 2, 4, 16, 16).double()
    found = losses.penalty(network, real).item()
    slopes = np.zeros(real.shape)
    with torch.no_grad():
        for place in np.ndindex(*real.shape):
            step = torch.zeros_like(real)
            step[place] = 1e-5
            slopes[place] = (network(real + step).mean() - network(real - step).mean()) / 2e-5
    assert found == pytest.approx((slopes**2).sum((1, 2, 3)).mean(), rel=1e-6)


def learner(**changed):
    torch.manual_seed(5)
    settings = CycleGANSettings(**{**SMALL, **changed})
    return CycleGAN(settings, CloudNet(4, 4) if settings.segmentation_consistency_lmbda else None)


def test_totals_add_up_with_the_published_weights():
    module, pv, lu = learner(), drawn(6, 2, 4, 16, 16), drawn(7, 2, 4, 16, 16, level=0.5)
    terms = {name: value.item() for name, value in module.terms(pv, lu).items()}
    made = module.translate(pv, lu)
    l8, back = made["l8_fake"].detach().numpy(), made["pv_cycled"].detach().numpy()
    assert terms["identity_loss_pvl8"] == pytest.approx(np.abs(pv.numpy() - l8).mean(), rel=1e-4)
    assert terms["cycle_loss_pv"] == pytest.approx(np.abs(pv.numpy() - back).mean(), rel=1e-4)
    totals = module.totals({name: torch.tensor(value) for name, value in terms.items()})
    for way in ("pvl8", "l8pv"):
        right = terms[f"gen_{way}_loss"] + 5 * terms[f"identity_loss_{way}"]
        right += 5 * (terms["cycle_loss_l8"] + terms["cycle_loss_pv"])
        right += 1 * terms[f"consistency_loss_{way}"]
        assert float(totals[f"gen_{way}_total_loss"]) == pytest.approx(right, rel=1e-6)
    for which in ("l8", "pv"):
        right = terms[f"disc_{which}_loss"] + 10 * terms[f"gp_{which}_loss"]
        assert float(totals[f"disc_{which}_total_loss"]) == pytest.approx(right, rel=1e-6)


def test_clouds_of_the_untranslated_image_are_the_reference():
    module, pv, lu = learner(), drawn(8, 2, 4, 16, 16), drawn(9, 2, 4, 16, 16, level=0.6)
    (clouds,) = module._clouds
    found = module.terms(pv, lu)["consistency_loss_pvl8"].item()
    with torch.no_grad():
        # the running averages of batch norm do not matter in training mode
        translated = module.networks["genpv2l8"](pv)
        p, q = (clouds(image).sigmoid().numpy().astype(float) for image in (pv, translated))
    p, q = np.clip(p, 1e-6, 1 - 1e-6), np.clip(q, 1e-6, 1 - 1e-6)
    right = np.mean(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))
    assert found == pytest.approx(right, rel=1e-3, abs=1e-9)
    assert not any(value.requires_grad for value in clouds.parameters())


def test_each_network_gets_the_gradient_of_its_own_total(monkeypatch):
    module, pv, lu = learner(), drawn(10, 2, 4, 16, 16), drawn(11, 2, 4, 16, 16, level=0.5)
    monkeypatch.setattr(module, "manual_backward", lambda loss, **how: loss.backward(**how))
    terms = module.terms(pv, lu)
    totals = module.totals(terms)
    owners = {
        "genpv2l8": "gen_pvl8_total_loss",
        "genl82pv": "gen_l8pv_total_loss",
        "discl8": "disc_l8_total_loss",
        "discpv": "disc_pv_total_loss",
    }
    expected = {
        name: torch.autograd.grad(totals[total], module.weights_of((name,)), retain_graph=True)
        for name, total in owners.items()
    }
    module.gradients(terms, totals)
    assert set(owners) == {*GENERATORS, *DISCRIMINATORS}
    for name, gradients in expected.items():
        for weight, right in zip(module.weights_of((name,)), gradients, strict=True):
            assert weight.grad is not None
            torch.testing.assert_close(weight.grad, right, rtol=1e-4, atol=1e-7)


def test_terms_that_are_switched_off_are_not_computed():
    module = learner(segmentation_consistency_lmbda=0.0, gradient_penalty_mode="none")
    terms = module.terms(drawn(12, 2, 4, 16, 16), drawn(13, 2, 4, 16, 16))
    assert not [name for name in terms if name.startswith(("consistency", "gp"))]
    assert set(module.totals(terms)) == {
        "gen_pvl8_total_loss",
        "gen_l8pv_total_loss",
        "disc_l8_total_loss",
        "disc_pv_total_loss",
    }


def test_instance_norm_normalizes():
    """The original's did nothing: every image would keep its own brightness inside."""
    plain, normed = learner(normtype="no"), learner(normtype="instancenorm")
    image = drawn(14, 1, 4, 16, 16)

    def inside(module, scale):
        found = []
        block = module.networks["genpv2l8"].block_1
        block.register_forward_hook(lambda *seen: found.append(seen[2]))
        with torch.no_grad():
            module.networks["genpv2l8"].block_1(scale * image)
        return found[-1]

    # bright enough that the smallest variance of the normalization does not count
    for module, ratio in ((plain, 3.0), (normed, 1.0)):
        first, second = inside(module, 100), inside(module, 300)
        assert float(second.mean() / first.mean()) == pytest.approx(ratio, rel=0.01)
