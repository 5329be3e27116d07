"""The parts of the loss against closed forms."""

from __future__ import annotations

import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from vaetui.engine import losses


def test_reconstruction_is_the_bernoulli_likelihood_summed_over_pixels() -> None:
    logits = torch.linspace(-3, 3, 2 * 5 * 4).view(2, 1, 5, 4)
    images = (logits.sin() > 0).float()
    expected = -Bernoulli(logits=logits).log_prob(images).sum(dim=(1, 2, 3)).mean()
    assert torch.isclose(losses.reconstruction(logits, images), expected)


def test_divergence_is_that_of_two_normals() -> None:
    mean, deviation = torch.linspace(-2, 2, 12).view(3, 4), torch.linspace(0.1, 2, 12).view(3, 4)
    expected = kl_divergence(Normal(mean, deviation), Normal(0.0, 1.0)).sum(dim=1).mean()
    assert torch.isclose(losses.kl_divergence(mean, deviation), expected)


def test_classification_divides_by_the_number_of_weights_above_zero() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [5.0, 5.0]])
    labels, weights = torch.tensor([0, 0, 1]), torch.tensor([0.5, 0.25, 0.0])
    each = -logits.log_softmax(dim=1)[torch.arange(3), labels]
    expected = (0.5 * each[0] + 0.25 * each[1]) / 2
    assert torch.isclose(losses.classification(logits, labels, weights), expected)


def test_without_any_weight_there_is_no_classification_loss() -> None:
    assert losses.classification(torch.ones(4, 10), torch.zeros(4, dtype=torch.long), torch.zeros(4)) == 0


def test_contrast_is_least_where_views_of_one_image_lie_together_and_others_apart() -> None:
    images = torch.eye(4)
    together = losses.nt_xent(torch.cat([images, 3 * images]), 0.5)
    mixed = losses.nt_xent(torch.cat([images, images.roll(1, dims=0)]), 0.5)
    alike = losses.nt_xent(torch.ones(8, 4), 0.5)
    assert together < alike < mixed
    assert torch.isclose(alike, torch.tensor(7.0).log()), "one of seven other views is as good as any"


def test_consistency_asks_of_the_warped_view_what_the_plain_one_is_sure_of() -> None:
    plain = torch.tensor([[9.0, 0.0], [0.1, 0.0]], requires_grad=True)
    warped = torch.tensor([[0.0, 1.0], [5.0, 0.0]], requires_grad=True)
    value = losses.consistency(torch.cat([plain, warped]), 0.9)
    assert torch.isclose(value, -warped[0].log_softmax(dim=0)[0] / 2)
    value.backward()
    assert plain.grad is not None
    assert not plain.grad.any(), "a plain view is told nothing"
