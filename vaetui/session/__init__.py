"""Sessions: train, cluster, answer, split, undo, export. Front ends use only this package.

lifecycle         create sessions and open them for writing
deletion          delete sessions
session           Session, the class that front ends call
schedule          the next step of a run
dataset_location  the directory of a session's images
data_loading      load the images; rebuild a damaged imported dataset
data_digests      digests of labels, test images and the list of source files
vector_loading    verify and map the vectors of a session with features
data_split        training, validation and test images
session_true_labels  true labels, for evaluation only
ranks             what the ranks of a distributed run do together
resources         images and networks, loaded on first use
cpu_load          what other processes use of each CPU
thread_placement  adapt the threads of PyTorch to the load while they compute
trainer           train, evaluate, cluster and split
centre_pictures   the nearest images of clusters and their means
checkpoints       save and restore the networks
round_clusters    the clusters of rounds, which never change, and a cache of them
labelling_round   one round: its clusters and the answers in force
labelling_rounds  load rounds, and keep the clusters of a few in memory
image_answers     what the answers about single images and the borders of classes determine
undo_stack        the steps made in a round
answer_recorder   record answers, splits and class edits; undo and redo
answer_history    the answers of all rounds
learned_classes   the classes with answers, and those that the networks can tell apart
label_propagator  pseudo-labels from the answers of all rounds
label_renewal     pseudo-labels that are propagated anew after each epoch of a round
digit_keys        the class behind each digit key
views             frozen values that screens show
metric_history    losses and epochs measured so far, and the estimates that may be shown
graph_disagreement  on how many images classifier and graph differ
expected_gain     what another round or page is expected to bring
feature_advice    advice to train on vectors after a first round of mixed clusters
reading_test      reading test of an epoch
least_sure_images  the images with the least certain labels
model_agreement   agreement between answers and classifier
session_status    status and summary of a session, read-only
session_catalogue  all sessions, for the session picker
source_images     the files that images were imported from
final_labels      one label per image, for export
label_evidence    evidence for the class of every image: networks, propagated answers, earlier epochs
label_confidence  the confidences of labels by the audits of a session
label_quality     version, audits and measured accuracy of labels, for exports and model cards
labelling         the labels of one moment, with their version and evidence
audit_views       frozen values of audits that front ends show
audit_steps       the checks of one audit, with undo and redo
stored_audits     the images, checks and results of audits, read without the lock
audits            draw an audit, record its checks, and measure the accuracy of the labels
review_views      frozen values of reviews that front ends show
border_search     the pages to ask about until the border of a class is found
image_review      pages of single images to correct, worst first
session_snapshot  a session at one moment, read without its lock
session_users     the processes that have a session open or train it
session_copy      a session on a copy of its database, to look at
session_proxy     a session that passes everything on to another one
watched_session   a session that another process may train, to look at
attached_session  a session that a training run trains, to answer its rounds
snapshot_labels   labels of a snapshot
stored_labels     labels of a session that is not open, repaired first if needed
label_export      check an output, write labels to it, and describe the result
session_reader    the Python interface, which `vaetui.open` returns
image_map         the images as points in the plane
predictor         predictions and samples by the newest checkpoint
new_images        new images as input of the networks
verification      verify and repair a session directory
"""
