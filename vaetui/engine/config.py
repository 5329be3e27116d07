"""The configuration of a run as frozen dataclasses, and the schedule that follows from it.

The defaults are those of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, TypeAlias

Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
Precision: TypeAlias = Literal["float32", "bfloat16"]
"""Type of the numbers in convolutions and matrix products."""
DistanceMetric: TypeAlias = Literal["euclidean", "cosine"]
"""Distance between latent vectors: Euclidean, or by the angle between them."""
WARMUP_PIXELS = 28 * 28
"""Pixels of an image up to which a small set has a full warm-up."""
MIN_DOWNSAMPLED_SIDE_PX = 28
"""Fewest pixels along the shorter side of an image whose downsampling is chosen by its size: those of MNIST."""
MIN_WARMUP_BATCHES = 100
"""Fewest batches of a shortened warm-up: with 60, MNIST lost ten points of accuracy in the first round."""
MAX_SMALL_SET_IMAGES = 12_800
"""From this number of images on, the warm-up is never shortened."""
MAX_HIDDEN_COMPONENTS = 32
"""Principal components of the hidden units among the views of an image, unless there are fewer units.

On MNIST they hold 93 % of the variance; with 16, the accuracy of the default recipe was 0.1 points lower.
"""
MAX_PIXEL_COMPONENTS = 32
"""Principal components of the pixels among the views of an image, unless there are fewer pixels."""
MAX_CLUSTER_HEADS = 4
"""Most heads for soft clusters."""
MAX_HEAD_CLUSTERS = 64
"""Most soft clusters of a head."""
BATCHES_PER_REPORT = 8
"""Batches between two reports of the losses: about 0.2 s on two cores, and one synchronisation on a GPU."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Inclusive range of a numeric config field; the limits keep memory, screen space and run time bearable."""

    minimum: int | float
    """Smallest allowed value."""
    maximum: int | float
    """Largest allowed value."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Architecture of the networks (paper, section 3.3 and figure 1)."""

    inputs: Literal["images", "vectors"] = "images"
    """What the networks are trained on: the images, or one vector per image (features) of a pretrained network."""
    clustered: Literal["latents", "components", "views"] = "latents"
    """What is clustered and linked: latent vectors, or `z_dim` principal components of the features of patches, or
    three views of an image side by side: components of the hidden units, latent vector, components of the pixels."""
    cluster_heads: Annotated[int, Bounds(0, MAX_CLUSTER_HEADS)] = 0
    """Heads that learn to divide the images into soft clusters before the first round, to shape the hidden units."""
    head_clusters: Annotated[int, Bounds(2, MAX_HEAD_CLUSTERS)] = 20
    """Soft clusters of each head."""
    image_decoder: bool = False
    """Whether networks for vectors also learn to decode the images; those for images always do."""
    z_dim: Annotated[int, Bounds(1, 256)] = 10
    """Latent dimensions."""
    channels: tuple[Annotated[int, Bounds(1, 256)], Annotated[int, Bounds(1, 256)]] = (64, 128)
    """Output channels of the first and the second convolution of the encoder."""
    decoder_channels: tuple[Annotated[int, Bounds(1, 256)], Annotated[int, Bounds(1, 256)]] | None = None
    """Input channels of the last and the last but one convolution of the decoder; None for those of the encoder."""
    hidden_units: Annotated[int, Bounds(1, 512)] = 32
    """Units of the dense layer between the convolutions and the latent vector."""
    classes: Annotated[int, Bounds(2, 250)] = 10
    """Classes of the classifier."""
    negative_slope: Annotated[float, Bounds(0.0, 1.0)] = 0.2
    """Slope of the leaky ReLU below zero."""
    weight_init: Literal["glorot", "normal"] = "glorot"
    """Initial weights: Glorot uniform, or normal with standard deviation 0.02."""
    latent: Literal["sample", "mean"] = "sample"
    """Latent vector that is clustered and classified: a sample from q(z | x) (paper), or its mean."""
    classifier_input: Literal["latent", "hidden"] = "latent"
    """Input of the classifier: the latent vector, or the hidden units before it."""
    batch_norm: bool = False
    """Whether the encoder uses batch normalisation (Ioffe and Szegedy 2015)."""
    patch_filters: Annotated[int, Bounds(0, 1_024)] = 0
    """Fixed filters for patches (Coates et al. 2011) that take the place of convolutions; 0 for convolutions."""
    patch_mirror: bool = False
    """Whether the features of the patches are the same for an image and its mirror image."""
    downsampling: Annotated[int, Bounds(1, 1_024)] | None = 1
    """Factor by which images are downsampled for the networks, and decoded images enlarged again; None chooses it by
    the size of the images when a session is created."""


@dataclass(frozen=True, slots=True)
class LossConfig:
    """Weights of the terms of the loss (paper, equations 1 and 3), and of two terms that compare two views."""

    beta: Annotated[float, Bounds(0.0, 1e6)] = 5.0
    """Weight of the KL divergence (eq. 1)."""
    gamma: Annotated[float, Bounds(0.0, 1e6)] = 150.0
    """Weight of the classification loss (eq. 3)."""
    contrastive_weight: Annotated[float, Bounds(0.0, 1e6)] = 0.0
    """Weight of the contrastive loss NT-Xent (Chen et al. 2020, SimCLR, equation 1)."""
    temperature: Annotated[float, Bounds(0.01, 10.0)] = 0.3
    """Temperature of the contrastive loss."""
    clustering_weight: Annotated[float, Bounds(0.0, 1e6)] = 0.0
    """Weight of the clustering loss of the cluster heads, before the first round (Ji et al. 2019, IIC, equation 3)."""
    consistency_weight: Annotated[float, Bounds(0.0, 1e6)] = 0.0
    """Weight of the consistency loss between the two views (Sohn et al. 2020, FixMatch, equation 4)."""
    consistency_threshold: Annotated[float, Bounds(0.0, 1.0)] = 0.9
    """Smallest class probability of the plain view that counts for the consistency loss."""
    reconstruct_every: Annotated[int, Bounds(1, 16)] = 1
    """Of so many images of a batch, one is reconstructed (eq. 1); reconstructing all takes a quarter of the time."""


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """Range of the random distortions that make the second view of an image; if all are 0, there is no second view."""

    strength: Annotated[float, Bounds(0.0, 3.0)] = 1.0
    """Factor of all distortions below; 0 switches the second view off."""
    rotate: Annotated[float, Bounds(0.0, 180.0)] = 0.0
    """Largest rotation either way, in degrees."""
    translate: Annotated[float, Bounds(0.0, 1.0)] = 0.0
    """Largest shift in each direction, as a fraction of the side."""
    scale: Annotated[float, Bounds(0.0, 0.9)] = 0.0
    """Largest change of size along each side, as a fraction."""
    shear: Annotated[float, Bounds(0.0, 1.0)] = 0.0
    """Largest shear either way, as a fraction of the height."""
    elastic: Annotated[float, Bounds(0.0, 1.0)] = 0.0
    """Largest local displacement of the elastic distortion, as a fraction of half the side."""
    colour_jitter: Annotated[float, Bounds(0.0, 1.0)] = 0.0
    """Largest mixing and shift of the colour channels, as a fraction; grey images ignore it."""
    crop: Annotated[float, Bounds(0.0, 0.95)] = 0.0
    """Largest share of the area that a random crop cuts off before it is resized (Chen et al. 2020, SimCLR)."""
    blur: Annotated[float, Bounds(0.0, 1.0)] = 0.0
    """Largest weight of the mean of 3x3 pixels in place of each pixel."""
    vector_dropout: Annotated[float, Bounds(0.0, 0.95)] = 0.0
    """Share of the numbers of a vector that are replaced by their mean; images ignore it."""
    vector_noise: Annotated[float, Bounds(0.0, 3.0)] = 0.0
    """Standard deviation of the noise added to a vector, in standard deviations of its numbers; images ignore it."""

    @property
    def is_enabled(self) -> bool:
        """Whether training uses a second view."""
        distortions = (self.rotate, self.translate, self.scale, self.shear, self.elastic, self.colour_jitter)
        others = (self.crop, self.blur, self.vector_dropout, self.vector_noise)
        return self.strength > 0 and any((*distortions, *others))


@dataclass(frozen=True, slots=True)
class PropagationConfig:
    """How answers become labels of all images."""

    method: Literal["cluster", "graph"] = "cluster"
    """To the members of the answered cluster (paper, eq. 2), or over a graph of neighbours, all rounds together."""
    neighbours: Annotated[int, Bounds(2, 100)] = 12
    """Neighbours of an image in the graph."""
    full_weight_images: Annotated[float, Bounds(1.0, 1000.0)] = 1.0
    """Images that a label must stand for to count in full in the graph; with fewer it counts in proportion.

    A label of a cluster stands for its images divided by those that were shown. With 1, all labels count alike.
    """
    renews_labels: bool = False
    """Whether the graph is built anew after each epoch of a round, so that the next one trains on better labels."""
    max_graph_images: Annotated[int, Bounds(100, 10_000_000)] = 1_000_000
    """Most images in the graph; all others take the labels of their nearest graph images."""


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """How latent vectors are clustered (paper, section 3.3), and which clusters a round asks about."""

    clusters: Annotated[int, Bounds(2, 256)] | None = None
    """Clusters of a round; None chooses the number by the elbow method."""
    elbow_first_k: Annotated[int, Bounds(1, 256)] = 3
    """Smallest k that the elbow method tries."""
    min_clusters: Annotated[int, Bounds(1, 256)] = 10
    """Smallest k that the elbow method may choose."""
    max_clusters: Annotated[int, Bounds(1, 256)] = 16
    """Largest k that the elbow method tries and may choose."""
    clusters_per_class: Annotated[float, Bounds(0.0, 16.0)] = 0.0
    """Fewest clusters of a round per class, up to 256 clusters; 0 for any number. The elbow method ignores it."""
    elbow_sample_size: Annotated[int, Bounds(10, 1_000_000)] = 6_000
    """Latent vectors that the elbow method uses."""
    split_parts: Annotated[int, Bounds(2, 256)] = 4
    """Sub-clusters that a split proposes."""
    decay: Annotated[float, Bounds(0.0, 100.0)] = 0.2
    """a of equation 2, per unit of Euclidean distance in the latent space."""
    distance_metric: DistanceMetric = "euclidean"
    """Distance by which latent vectors are clustered and linked."""
    query_strategy: Literal["all", "uncertain"] = "all"
    """Whether every round asks about all images, or rounds after the first about the most uncertain ones."""
    uncertain_fraction: Annotated[float, Bounds(0.001, 1.0)] = 0.25
    """Share of the images that count as uncertain."""
    uncertainty_factor: Annotated[float, Bounds(0.0, 100.0)] = 0.0
    """That share divided by the mean uncertainty, so that questions turn to ever smaller groups as labels get surer;
    `uncertain_fraction` is the smallest share as long as a class has no answer. 0 for the same share in all rounds."""
    oversample: Annotated[int, Bounds(1, 16)] = 1
    """Clusters made per cluster asked about; the most uncertain ones are asked about."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The schedule and the optimiser (paper, section 4)."""

    warmup_epochs: Annotated[int, Bounds(1, 10**9)] = 1
    """Epochs without labels before the first round."""
    rounds: Annotated[int, Bounds(0, 10**9)] = 5
    """Rounds of answers."""
    epochs_per_round: Annotated[int, Bounds(1, 100_000)] = 1
    """Epochs after each round."""
    batch_size: Annotated[int, Bounds(1, 4_096)] = 64
    """Images in a batch."""
    max_epoch_images: Annotated[int, Bounds(1, 10**9)] = 240_000
    """Most images in a pass of an epoch; from a larger set, each epoch draws its own sample."""
    min_batches: Annotated[int, Bounds(1, 100_000)] = 1
    """Fewest batches in an epoch; an epoch passes over a small data set several times."""
    min_warmup_batches: Annotated[int, Bounds(1, 100_000)] | None = None
    """Fewest batches in an epoch before the first round; None for as many as in any other epoch."""
    learning_rate: Annotated[float, Bounds(0.0, 10.0)] = 1e-3
    """Learning rate of Adam; the peak after each round if `lr_schedule` is "cosine"."""
    lr_schedule: Literal["none", "cosine"] = "none"
    """Learning rate between two rounds: constant, or warm-up and cosine decay (Loshchilov and Hutter 2017)."""
    validation_size: Annotated[int, Bounds(1, 100_000)] = 128
    """Most images held out for reconstruction."""
    evals_per_epoch: Annotated[int, Bounds(1, 1_000)] = 3
    """Reconstructions of the held-out images per epoch (paper, figure 6)."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that determines the result of a session apart from the answers and the data."""

    recipe: str = "paper"
    """Name of the recipe that the configuration started from."""
    seed: Annotated[int, Bounds(0, 10**38)] = 0
    """Random seed; every random number depends on it and on the position in the run."""
    device: Device = "auto"
    """Device of the networks; "auto" chooses the fastest available."""
    precision: Precision = "float32"
    """Numbers that convolutions and matrix products of the networks compute with; all others are float32."""
    threads: Annotated[int, Bounds(0, 1024)] = 0
    """CPU threads of the networks; 0 uses as many as there are CPUs in reach, at most the quota of a container."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Architecture."""
    loss: LossConfig = field(default_factory=LossConfig)
    """Weights of the loss terms."""
    cluster: ClusterConfig = field(default_factory=ClusterConfig)
    """Clustering and query strategy."""
    augmentation: AugmentConfig = field(default_factory=AugmentConfig)
    """Distortion of the second view."""
    propagation: PropagationConfig = field(default_factory=PropagationConfig)
    """Propagation of answers to all images."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """Schedule and optimiser."""


def decodes_images(config: NetworkConfig) -> bool:
    """Return whether the networks decode images, so that there are reconstructions and samples."""
    return config.inputs == "images" or config.image_decoder


def decodes_centres(config: NetworkConfig) -> bool:
    """Return whether cluster centres are shown decoded, and not as the nearest images.

    The networks decode latent vectors only, which images with features of patches are not clustered by.
    """
    return decodes_images(config) and config.clustered != "components"


def count_epochs(config: TrainingConfig) -> int:
    """Return the number of epochs in a whole run: the warm-up and those after each round."""
    return config.warmup_epochs + config.rounds * config.epochs_per_round


def find_round_after_epoch(config: TrainingConfig, epoch: int) -> int | None:
    """Return the round (from 1) that follows an epoch (from 1), or None if the next epoch follows."""
    rounds_before, rest = divmod(epoch - config.warmup_epochs, config.epochs_per_round)
    return rounds_before + 1 if rest == 0 and 0 <= rounds_before < config.rounds else None


def find_current_epoch(config: TrainingConfig, finished_epochs: int, next_round: int) -> int:
    """Return the epoch that is trained next; the last finished one if `next_round`, 0 for none, or the end is next."""
    is_round_next = next_round > 0 and find_epoch_before_round(config, next_round) == finished_epochs
    return min(finished_epochs if is_round_next else finished_epochs + 1, count_epochs(config))


def find_epoch_before_round(config: TrainingConfig, round_number: int) -> int:
    """Return the last epoch before a round."""
    return config.warmup_epochs + (round_number - 1) * config.epochs_per_round


def find_round_of_epoch(config: TrainingConfig, epoch: int) -> int | None:
    """Return the round whose answers an epoch trains with, or None for an epoch without labels."""
    return None if epoch <= config.warmup_epochs else (epoch - config.warmup_epochs - 1) // config.epochs_per_round + 1


def count_epoch_images(config: TrainingConfig, image_count: int) -> int:
    """Return how many of `image_count` images a pass of an epoch takes: all, or `max_epoch_images` of a larger set."""
    return min(image_count, config.max_epoch_images)


def count_passes_per_epoch(config: TrainingConfig, image_count: int, epoch: int | None = None) -> int:
    """Return how many passes over `image_count` images an epoch (from 1) makes to reach its fewest batches.

    Without `epoch`, of an epoch after the first round.
    """
    is_warmup = epoch is not None and epoch <= config.warmup_epochs
    min_batches = config.min_warmup_batches if is_warmup and config.min_warmup_batches else config.min_batches
    return max(1, -(-min_batches * config.batch_size // count_epoch_images(config, image_count)))


def count_steps_per_epoch(config: TrainingConfig, image_count: int, epoch: int | None = None) -> int:
    """Return the number of batches in an epoch of `image_count` images; see `count_passes_per_epoch`."""
    epoch_images = count_epoch_images(config, image_count)
    return -(-count_passes_per_epoch(config, image_count, epoch) * epoch_images // config.batch_size)


def count_steps_before_epoch(config: TrainingConfig, image_count: int, epoch: int) -> int:
    """Return the number of batches in all epochs before an epoch (from 1) of `image_count` images."""
    warmup_count = min(epoch - 1, config.warmup_epochs)
    warmup_steps = count_steps_per_epoch(config, image_count, 1)
    return warmup_count * warmup_steps + (epoch - 1 - warmup_count) * count_steps_per_epoch(config, image_count)


def find_downsampling(config: NetworkConfig, shape: tuple[int, ...]) -> int:
    """Return the factor that is configured, or the one for images of `shape`, (height, width) or (height, width, 3).

    Without one, the time of a batch would rise with the number of pixels, most of which is spent on detail that the
    latent vectors do not contain.
    """
    return config.downsampling or max(1, min(shape[:2]) // MIN_DOWNSAMPLED_SIDE_PX)


def shorten_warmup(config: TrainingConfig, shape: tuple[int, ...]) -> TrainingConfig:
    """Return the schedule for images of shape (N, H, W) or (N, H, W, 3), with less warm-up for small sets.

    The epochs of a small set pass over it many times, which takes long where the images are large. Before the first
    round the number of batches is reduced as the number of pixels rises, so that the first question comes early.
    """
    (image_count, height, width), min_batches = shape[:3], config.min_batches
    batches = min_batches * WARMUP_PIXELS // (height * width)
    batches = max(batches, min(MIN_WARMUP_BATCHES, min_batches))
    if image_count >= MAX_SMALL_SET_IMAGES or batches >= min_batches or config.min_warmup_batches is not None:
        return config
    return replace(config, min_warmup_batches=batches)


def count_reports_per_epoch(config: TrainingConfig, image_count: int) -> int:
    """Return the number of reports of the losses in an epoch of `image_count` images."""
    return -(-count_steps_per_epoch(config, image_count) // BATCHES_PER_REPORT)


def count_validation_images(config: TrainingConfig, image_count: int) -> int:
    """Return how many of `image_count` images are held out: `validation_size`, but no more than a tenth."""
    return min(config.validation_size, image_count // 10)
