"""Tests of the loss terms against closed forms."""

from __future__ import annotations

import math

import torch
from sklearn.metrics import mutual_info_score
from torch.distributions import Bernoulli, Normal, kl_divergence

from vaetui.engine import losses


def test_reconstruction_is_the_bernoulli_likelihood_summed_over_pixels() -> None:
    logits = torch.linspace(-3, 3, 2 * 5 * 4).view(2, 1, 5, 4)
    images = (logits.sin() > 0).float()
    expected = -Bernoulli(logits=logits).log_prob(images).sum(dim=(1, 2, 3)).mean()
    assert torch.isclose(losses.reconstruction(logits, images), expected)


def test_divergence_equals_that_of_two_normal_distributions() -> None:
    mean, std = torch.linspace(-2, 2, 12).view(3, 4), torch.linspace(0.1, 2, 12).view(3, 4)
    expected = kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).sum(dim=1).mean()
    assert torch.isclose(losses.kl_divergence(mean, std), expected)


def test_classification_is_weighted_and_divided_by_the_number_of_labels() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [5.0, 5.0]])
    class_ids, weights = torch.tensor([0, 0, 1]), torch.tensor([0.5, 0.25, 0.0])
    cross_entropies = -logits.log_softmax(dim=1)[torch.arange(3), class_ids]
    expected = (0.5 * cross_entropies[0] + 0.25 * cross_entropies[1]) / 2
    assert torch.isclose(losses.classification(logits, class_ids, weights, torch.tensor(2)), expected)


def test_classification_without_any_weight_is_0() -> None:
    class_ids, weights = torch.zeros(4, dtype=torch.long), torch.zeros(4)
    assert losses.classification(torch.ones(4, 10), class_ids, weights, torch.tensor(1)) == 0


def test_nt_xent_is_smallest_when_views_of_one_image_agree_and_images_differ() -> None:
    images = torch.eye(4)
    matching = losses.nt_xent(torch.cat([images, 3 * images]), 0.5)
    mismatched = losses.nt_xent(torch.cat([images, images.roll(1, dims=0)]), 0.5)
    identical = losses.nt_xent(torch.ones(8, 4), 0.5)
    assert matching < identical < mismatched
    assert torch.isclose(identical, torch.tensor(7.0).log()), "any of the seven other views is equally likely"


def test_consistency_counts_confident_plain_views_and_sends_them_no_gradient() -> None:
    plain = torch.tensor([[9.0, 0.0], [0.1, 0.0]], requires_grad=True)
    augmented = torch.tensor([[0.0, 1.0], [5.0, 0.0]], requires_grad=True)
    loss = losses.consistency(torch.cat([plain, augmented]), 0.9)
    assert torch.isclose(loss, -augmented[0].log_softmax(dim=0)[0] / 2)
    loss.backward()
    assert plain.grad is not None
    assert not plain.grad.any()


def test_clustering_loss_is_minus_the_mutual_information_of_the_clusters_of_two_views() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randint(0, 4, (2, 500), generator=generator)
    second = torch.where(torch.rand(500, generator=generator) < 0.7, first, second)
    counts = torch.zeros(1, 4, 4).index_put_((torch.tensor(0), first, second), torch.tensor(1 / 500), accumulate=True)
    both_ways = torch.cat([first, second]), torch.cat([second, first])  # the loss treats the views alike
    expected = -mutual_info_score(*both_ways)
    torch.testing.assert_close(losses.clustering(counts).item(), expected, rtol=1e-4, atol=1e-4)


def test_clustering_loss_is_smallest_for_equally_large_clusters_on_which_views_agree() -> None:
    agreed, independent = torch.eye(5)[None] / 5, torch.full((1, 5, 5), 1 / 25)
    collapsed = torch.zeros(1, 5, 5)
    collapsed[0, 2, 2] = 1
    torch.testing.assert_close(losses.clustering(agreed), torch.tensor(-math.log(5)), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(losses.clustering(independent), torch.tensor(0.0), rtol=0, atol=1e-4)
    torch.testing.assert_close(losses.clustering(collapsed), torch.tensor(0.0), rtol=0, atol=1e-4)
    both = losses.clustering(torch.cat([agreed, independent]))
    torch.testing.assert_close(both, torch.tensor(-math.log(5) / 2), rtol=1e-4, atol=1e-4)
