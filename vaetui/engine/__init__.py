"""What is learned: headless, reads images, writes nothing, knows no screen.

Read the rooms in this order; it is the walk of the method:

    config, events       every knob; the facts that are reported
    idx, images, truth   a path becomes Images; true labels, which learning never sees
    draws                every random draw, from the seed and its place in the run
    vae                  the networks: infer, generate, classify
    latents              images become latent vectors
    answers              what a person said of a cluster, and what stands
    clusters, kmeans     latent vectors become a tree of clusters; the elbow; a split
    weights              tree and answers become one label and one weight per image (eq. 2)
    loss                 the named parts of the loss (eqs 1 and 3)
    memory               what the process keeps of freed memory, for speed
    training             the loop: a generator of events
    metrics              accuracy and the like: the only measure that looks at true labels
"""
