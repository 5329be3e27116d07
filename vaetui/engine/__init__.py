"""What is learned: headless, reads images, writes nothing, knows no screen.

Read the rooms in this order; it is the walk of the method:

    config, events            every knob; the facts that are reported
    recipes, settings         knobs that were measured together; knobs as text, and what they may be
    idx, images, truth        a path becomes Images; true labels, which learning never sees
    dataset                   Images on the device of the networks, batch by batch
    draws                     every random draw, from the seed and its place in the run
    vae, warp                 the networks: infer, generate, classify; a second view of images
    latents                   images become latent vectors
    answers, classes          what a person said of a cluster, and what stands; what was done to the classes
    clusters, kmeans, asking  latent vectors become a tree of clusters; the elbow; a split; what a round asks about
    seeds, weights            images whose class is known; one label and one weight per image (eq. 2)
    graph                     a few labels spread to all images, from neighbour to neighbour
    loss                      the named parts of the loss (eqs 1 and 3), and what two views add to it
    memory                    what the process keeps of freed memory, for speed
    training                  the loop: a generator of events
    metrics                   accuracy and the like: the only measure that looks at true labels
"""
