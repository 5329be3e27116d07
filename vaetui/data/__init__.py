"""A person's own images become a set that a session reads; it does not know sessions.

wish        how they want them taken in
pictures    one file becomes grey pixels, whatever it holds
decoding    many files, several at a time
folder      pictures in a directory
table       pictures named in a CSV file
stacks      arrays of images: npy, npz, IDX
kinds       the names of classes, and labels as their places
stores      which arrays are images and which labels
levels      numbers become grey pixels
converting  arrays become grey pixels of one size
making      what was found is written
streaming   images portion by portion, of which nothing is kept
gathering   any of these becomes a set, once
"""
