"""Write labels as one directory of images per class."""

from __future__ import annotations

import csv

from vaetui.export.file_naming import make_directory_names
from vaetui.export.image_writing import ImageOutput, WrittenPaths, flatten_long_paths, list_relative_paths, write_images
from vaetui.export.label_table import LabelTable
from vaetui.storage.file_names import CLASS_TABLE_NAME, UNSURE_DIRECTORY


def write_class_folders(label_table: LabelTable, image_output: ImageOutput, version: str) -> WrittenPaths:
    """Write each image, under its own path, into the directory of its class, or into _unsure without a label.

    class_names.csv contains the class of each directory if any class has another name than its directory. Yields
    Progress, and returns the path of each image, None if its file is missing. Raises OSError if that fails.
    """
    names = make_directory_names(label_table.class_names)
    directories = [*names, UNSURE_DIRECTORY]  # for class -1 as well
    rows = zip(label_table.class_ids.tolist(), list_relative_paths(label_table), strict=True)
    target_paths = [f"{directories[class_id]}/{path}" for class_id, path in rows]
    target_paths = flatten_long_paths(target_paths, image_output.final_directory)
    if tuple(names) != label_table.class_names:
        with (image_output.directory / CLASS_TABLE_NAME).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("directory", "class"))
            writer.writerows(zip(names, label_table.class_names, strict=True))
    return (yield from write_images(label_table, target_paths, image_output))
