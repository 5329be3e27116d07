"""Import of user images: directories, CSV files, NumPy arrays and IDX files become one cached dataset of IDX files."""
