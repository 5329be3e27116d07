"""Labels for other programs; it does not know where they come from.

labels   one label for each image, column by column
tables   CSV and lines of JSON
arrays   npz and IDX
folders  one directory for each class
writing  any of these, by its name
"""
