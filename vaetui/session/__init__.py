"""Sessions: train, cluster, answer, split, undo, export. Front ends use only this package.

lifecycle         create sessions and open them for writing
deletion          delete sessions
session           Session, the class that front ends call
schedule          the next step of a run
dataset_location  the directory of a session's images
data_loading      load the images; rebuild a damaged imported dataset
data_digests      digests of labels, test images and the list of source files
data_split        training, validation and test images
session_true_labels  true labels, for evaluation only
resources         images and networks, loaded on first use
trainer           train, evaluate, cluster and split
checkpoints       save and restore the networks
labelling_round   clusters, answers and class edits of one round
label_propagator  pseudo-labels from the answers of all rounds
digit_keys        the class behind each digit key
views             frozen values that screens show
metric_history    losses and epochs measured so far
reading_test      reading test of an epoch
model_agreement   agreement between answers and classifier
session_status    status and summary of a session, read-only
final_labels      one label per image, for export
session_snapshot  a session at one moment, read without its lock
snapshot_labels   labels of a snapshot
label_export      check an output, write labels to it, and describe the result
session_reader    the Python interface, which `vaetui.open` returns
image_map         the images as points in the plane
predictor         predictions and samples by the newest checkpoint
verification      verify and repair a session directory
"""
