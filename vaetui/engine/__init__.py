"""The method: configuration, networks, clustering, label propagation, losses and training, without user interface.

Modules in reading order; each imports only modules above it:

    malloc                    glibc settings that speed up training on the CPU
    config, config_text       hyperparameters with their bounds; the configuration as JSON
    recipes                   named configurations
    answers, classes          answers about clusters and images; the editable list of classes
    clusters, events          the cluster tree; the events that slow operations yield
    slow_calls                functions in a thread, and generators run to their end
    rng                       random generators derived from the seed
    devices                   the choice of CPU or graphics card; transfers to it
    idx, images, vectors      IDX headers; images and vectors in memory or mapped
    duplicates                exact copies among images
    true_labels               true labels, for splitting and evaluation only
    pseudo_labels             labelled images; one class and weight per image (eq. 2)
    losses                    the terms of the loss (eqs 1 and 3)
    downsampling              smaller images for the networks, and pictures enlarged again
    vae, vector_vae           the networks for images; those for vectors
    patch_features, patch_vae features of patches found by k-means; the networks for photographs, which read them
    networks                  any of them
    augmentation              the second view of an image
    vector_augmentation       the second view of a vector
    device_inputs             images or vectors on the device of the networks
    kmeans, query_strategy    k-means and the elbow; the clusters that a round asks about
    projection                latent vectors in two dimensions
    audit_plans, audit        the sizes of an audit; the random sample of labels that a person checks
    audit_estimate            the share of right labels by these checks, with its interval
    calibration               the confidence of labels, without an audit and after one
    neighbours                nearest neighbours of many vectors
    label_propagation         labels spread over their graph
    metrics                   accuracy, agreement and calibration
    image_views               three views of an image side by side
    inference                 images or vectors to latent vectors and classes; latent vectors to images
    epoch_batches             the images that an epoch trains on, and their order
    train_state, training     networks with optimiser and checkpoint; one epoch of training

"paper" in these modules is "Image Classification using Unlabelled Data: A Semisupervised Approach using Variational
Autoencoder and Topdown Hierarchical Clustering", which the recipe "paper" reproduces; equation numbers refer to it.
"""
