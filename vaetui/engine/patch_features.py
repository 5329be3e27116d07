"""Features of images that are computed from the images alone: responses of patches to filters found by k-means.

Coates, Ng and Lee 2011, "An analysis of single-layer networks in unsupervised feature learning": patches of one set are
whitened and clustered, and an image is described by how near its patches are to the centres, pooled over its regions.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from vaetui.engine import rng
from vaetui.engine.clusters import Pixels
from vaetui.engine.devices import compute_with_all_bits, send
from vaetui.engine.images import Images
from vaetui.engine.vae import to_byte_images, to_float_images

POSITIONS_PER_SIDE = 16
"""Patches of an image along its shorter side, more or less."""
REGIONS_PER_SIDE = 4
"""Regions along each side that responses are pooled over; with 2, five neighbours agreed on 2 points fewer classes."""
MAX_PATCH_COMPONENTS = 48
"""Principal components of a patch; the others hold noise."""
CONTRAST_VARIANCE = (10 / 255) ** 2
"""Added to the variance of a patch, so that the noise of plain areas is not amplified (Coates et al., section 4.1)."""
WHITENING_VARIANCE = 0.1
"""Added to the variance of each component of the patches, as in Coates et al."""
SAMPLE_PATCHES = 20_000
"""Patches that the filters are found from."""
SAMPLE_IMAGES = 2_000
"""Images that the components of the features are found from."""
KMEANS_STEPS = 60
"""Steps of k-means on 2,048 patches each."""
SMALLEST_SQUARE = 1e-8
"""Below this, squares and means are raised before their root, whose slope is infinite at 0."""
CPU_CHUNK_IMAGES = 32
"""Images whose responses are computed at a time on the CPU, so that these stay in its cache."""


class PatchFeatures(nn.Module):
    """Features of images [N, C, H, W], values from 0 to 1, by fixed filters that are buffers of the networks.

    With `mirror`, an image and its mirror image have the same features, apart from patches at the border.
    """

    kernel: Tensor
    offset: Tensor
    filters: Tensor
    mean: Tensor
    projection: Tensor

    def __init__(self, shape: tuple[int, ...], filter_count: int, width: int, *, mirror: bool) -> None:
        """Create unfitted features of `width` numbers for images of `shape`: (height, width) or (height, width, 3)."""
        super().__init__()
        self.channels = shape[2] if len(shape) == 3 else 1
        side = min(shape[:2])
        self.stride = max(1, round(side / POSITIONS_PER_SIDE))
        self.size = min(side, 2 * self.stride + 2)
        self.mirror = mirror
        component_count = min(MAX_PATCH_COMPONENTS, self.channels * self.size * self.size)
        found_count = -(-filter_count // 2) if mirror else filter_count
        pooled_count = found_count * REGIONS_PER_SIDE**2
        self.register_buffer("kernel", torch.zeros(component_count, self.channels, self.size, self.size))
        self.register_buffer("offset", torch.zeros(component_count))
        self.register_buffer("filters", torch.zeros(2 * found_count if mirror else found_count, component_count))
        self.register_buffer("mean", torch.zeros(pooled_count))
        self.register_buffer("projection", torch.zeros(pooled_count, width))

    @torch.no_grad()
    def forward(self, images: Tensor, step: int = 1) -> Tensor:
        """Return the features of images, [N, width]; no gradient passes through them.

        Only every `step`-th patch along each side is read.
        """
        with compute_with_all_bits(images.device):  # distances are small differences of large products
            return (self._pool_in_chunks(images, step) - self.mean) @ self.projection

    @torch.no_grad()
    def fit(self, images: Images, seed: int, downsampling: int = 1) -> None:
        """Find filters and components from a sample of the images. The bits do not depend on the number of threads."""
        generator = rng.derive_generator(seed, "patches")
        order = generator.permutation(len(images))
        pixels = torch.from_numpy(images[np.sort(order[:SAMPLE_IMAGES])])
        sample = to_byte_images(to_float_images(pixels, downsampling)).numpy()
        with threadpool_limits(limits=1):
            patches = _cut_patches(sample, self.size, generator)  # [P, C * size * size]
            if self.mirror:
                patches = np.concatenate([patches, self._mirror_patches(patches)])
            directions, offset, whitened = _whiten_patches(patches, len(self.offset))
            found_count = len(self.filters) // 2 if self.mirror else len(self.filters)
            filters = _find_filters(whitened, found_count, seed)
            if self.mirror:
                # A whitened patch times `rotation` is the whitened mirror image of the patch.
                unit_directions = directions / np.maximum(np.linalg.norm(directions, axis=0), 1e-12)
                rotation = self._mirror_patches(unit_directions.T) @ unit_directions
                filters = np.concatenate([filters, filters @ rotation])
        kernel = directions - directions.mean(axis=0)  # subtracts the mean of a patch
        self.kernel.copy_(torch.from_numpy(kernel.T.reshape(self.kernel.shape).astype(np.float32)))
        self.offset.copy_(torch.from_numpy(offset.astype(np.float32)))
        self.filters.copy_(torch.from_numpy(filters.astype(np.float32)))
        self._fit_components(sample, seed)

    def _fit_components(self, sample: Pixels, seed: int) -> None:
        """Find the principal components of the pooled responses; each is divided by the root of its deviation."""
        from sklearn.utils.extmath import randomized_svd  # loading a session for predictions does not need it

        pooled = self._pool_in_chunks(to_float_images(torch.from_numpy(sample)).to(self.kernel.device)).cpu()
        mean = pooled.mean(dim=0)
        count = min(self.projection.shape[1], *pooled.shape)
        with threadpool_limits(limits=1):
            _, values, rows = randomized_svd(
                (pooled - mean).numpy(), count, n_iter=2, random_state=rng.derive_seed(seed, "patch components")
            )
        deviations = np.maximum(values / np.sqrt(len(pooled)), 1e-6)
        scales = np.sqrt(deviations) * np.sqrt(deviations).mean()  # the features have a deviation of about 1
        self.mean.copy_(mean)
        self.projection.zero_()
        self.projection[:, :count] = torch.from_numpy((rows.T / scales).astype(np.float32))

    def _pool_in_chunks(self, images: Tensor, step: int = 1) -> Tensor:
        if torch.compiler.is_compiling() or images.device.type != "cpu":  # an exported network takes any number
            return self._pool(images, step)
        return torch.cat([self._pool(chunk, step) for chunk in torch.split(images, CPU_CHUNK_IMAGES * step * step)])

    def _pool(self, images: Tensor, step: int) -> Tensor:
        """Return the root of the mean response to each filter in each region, [N, filters * regions]."""
        responses = self._respond(images, step)  # [N, Y, X, F]
        rows, columns = map(_build_region_weights, responses.shape[1:3])
        (weights,) = send([torch.kron(rows, columns)], images.device)  # [16, Y * X]
        means = -weights @ responses.flatten(1, 2)  # [N, 16, F]
        roots = means.clamp_(min=SMALLEST_SQUARE).sqrt_().permute(0, 2, 1)  # [N, F, 16]
        if self.mirror:
            first, second = roots.view(-1, len(self.filters), REGIONS_PER_SIDE, REGIONS_PER_SIDE).chunk(2, dim=1)
            roots = (first + second.flip(-1)) / 2
        return roots.flatten(1)

    def _respond(self, images: Tensor, step: int) -> Tensor:
        """Return how much nearer to each filter than to the average one each patch is, at most 0, [N, Y, X, F]."""
        # Patches are rows of a matrix, and values are changed in place: both save passes over memory.
        box = torch.full_like(self.kernel[:1], 1 / self.kernel[0].numel())
        stride = step * self.stride
        products = F.conv2d(images, torch.cat([self.kernel, box]), stride=stride)  # [N, components + 1, Y, X]
        squares = F.conv2d(images.square().sum(dim=1, keepdim=True), box[:, :1], stride=stride)  # [N, 1, Y, X]
        means = products[:, -1:]
        scale = torch.rsqrt((squares - means * means).clamp_(min=0) + CONTRAST_VARIANCE)
        patches = products[:, :-1] * scale - self.offset[:, None, None]
        rows = patches.permute(0, 2, 3, 1).flatten(0, 2)  # [N * Y * X, components]
        rows = torch.cat([rows, rows.square().sum(dim=1, keepdim=True), torch.ones_like(rows[:, :1])], dim=1)
        filter_squares = self.filters.square().sum(dim=1, keepdim=True)
        columns = torch.cat([-2 * self.filters, torch.ones_like(filter_squares), filter_squares], dim=1)
        # Squared distances are products of [patch, its square, 1] and [-2 filter, 1, its square].
        distances = (rows @ columns.T).clamp_(min=SMALLEST_SQUARE).sqrt_()
        responses = distances.sub_(distances.mean(dim=1, keepdim=True)).clamp_(max=0)
        return responses.view(-1, *patches.shape[2:], len(self.filters))

    def _mirror_patches(self, patches: NDArray[np.float64]) -> NDArray[np.float64]:
        shape = (len(patches), self.channels, self.size, self.size)
        return patches.reshape(shape)[..., ::-1].reshape(len(patches), -1)


def _build_region_weights(side: int) -> Tensor:
    """Return the weights of positions along a side in the mean of each region, [4, side]; regions may overlap."""
    weights = torch.zeros(REGIONS_PER_SIDE, side)
    for region in range(REGIONS_PER_SIDE):
        start, stop = region * side // REGIONS_PER_SIDE, -(-(region + 1) * side // REGIONS_PER_SIDE)
        weights[region, start:stop] = 1 / (stop - start)
    return weights


def _cut_patches(pixels: Pixels, size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return random patches of images with mean 0 and variance about 1, channel by channel, [P, C * size * size]."""
    count, (height, width) = SAMPLE_PATCHES, pixels.shape[1:3]
    images = generator.integers(0, len(pixels), count)[:, None, None]
    rows = generator.integers(0, height - size + 1, count)[:, None, None] + np.arange(size)[:, None]
    columns = generator.integers(0, width - size + 1, count)[:, None, None] + np.arange(size)
    patches = pixels[images, rows, columns] / 255.0  # [P, size, size] or [P, size, size, 3]
    if patches.ndim == 4:
        patches = patches.transpose(0, 3, 1, 2)
    patches = patches.reshape(count, -1)
    centred = patches - patches.mean(axis=1, keepdims=True)
    normalised: NDArray[np.float64] = centred / np.sqrt(centred.var(axis=1, keepdims=True) + CONTRAST_VARIANCE)
    return normalised


def _whiten_patches(
    patches: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the directions [D, count] and the offset [count] that whiten patches [P, D], and the result."""
    mean = patches.mean(axis=0)
    variances, vectors = np.linalg.eigh(np.cov((patches - mean).T))
    largest = np.argsort(-variances)[:count]
    directions = vectors[:, largest] / np.sqrt(variances[largest] + WHITENING_VARIANCE)
    return directions, mean @ directions, (patches - mean) @ directions


def _find_filters(patches: NDArray[np.float64], count: int, seed: int) -> NDArray[np.float64]:
    """Return the k-means centres of whitened patches [P, components], [count, components]."""
    from sklearn.cluster import MiniBatchKMeans

    kmeans = MiniBatchKMeans(
        count,
        init="random",
        batch_size=2_048,
        max_iter=max(1, KMEANS_STEPS * 2_048 // len(patches)),
        n_init=1,
        max_no_improvement=None,
        random_state=rng.derive_seed(seed, "filters"),
    )
    centres: NDArray[np.float64] = kmeans.fit(patches).cluster_centers_
    return centres
