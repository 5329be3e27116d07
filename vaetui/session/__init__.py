"""The one door to everything below it.

creation     a session is made, or opened again
session      Session: advance, answer, split, undo, redo, go on
standing     where it stands in its run, and what was measured so far
asking       what a person says and does in the round being asked
plan         what comes next in a run
source       where the images come from, by name
supply       the images, made anew where their set is damaged
workshop     images, truths and networks, loaded when they are needed
aside        work that nobody waits for
data         the images of a session, divided
learning     the slow verbs: train, measure, cluster, cut
checkpoints  networks kept on the way, and put back
truths       the true classes, for those who measure
labelling    one round: its clusters, what was said, what stands
acts         what a person did in it, in words
spreading    what the answers of all rounds come to for every image
agreeing     how far answers agree with the classifier that had not heard them
favourites   which class each digit stands for
board        what a screen needs to see, as frozen values
course       what was measured on the way
reading      the reading test of an epoch
inspection   everything verified, and mended
report       what `show` tells, without the right to write
trained      what was learned, for new images
export       one label per training image
"""
