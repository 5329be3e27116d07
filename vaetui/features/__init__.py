"""Vectors that stand for images: read, checked and matched from files, or computed by a pretrained image model."""
