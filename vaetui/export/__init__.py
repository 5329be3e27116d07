"""Export of labels and trained networks in the formats of other tools."""
