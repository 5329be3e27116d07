"""Labels for other programs; it does not know where they come from.

labels   one label for each image, column by column
tables   CSV and lines of JSON
arrays   npz and IDX
parquet  Parquet, by an extra
placing  pictures are put where a form wants them
folders  one directory for each class
tools    Label Studio, FiftyOne, Hugging Face datasets
writing  any of these, by its name
model    trained networks: safetensors, ONNX
"""
