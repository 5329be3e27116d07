"""Vectors that stand for images: read, checked and matched from files, or computed by a pretrained image model.

resolving           the value of --features to a checked file of vectors in the order of the images

Files of vectors:

vector_arrays       a file that is not loaded yet; which arrays are vectors
feature_files       open .npy files, and the other kinds by their content
npz_features        choose vectors and paths among the arrays of an npz file
parquet_features    choose vectors and paths among the columns of a Parquet file
feature_sidecar     the description beside a file that vaetui computed
feature_checks      numbers that are not finite; columns and vectors without differences
feature_paths       find images by the paths in a file
feature_matching    the row of each image, by order or by path
resemblance         whether similar images have similar vectors
feature_store       files that vaetui wrote itself, beside the sessions

Image models:

model_names         names of models
preprocessing       a decoded image to the pixels of a model's input
pretrained_model    a model: its preprocessing and its network
efficientnet_lite   the network that needs no download
hub_preprocessing, hugging_face  models in the form of the transformers library
image_models        load a model by its name, or the one that computed recorded vectors

Computing vectors:

embedded_file       a complete file of computed vectors
partial_vectors     an unfinished one, with which the next run goes on
embedding_threads   batches of vectors in several threads, in order
embedding           the vectors of an import, of new images and of arrays
"""
