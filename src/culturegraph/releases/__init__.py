"""Releases as folders on disk: their layout, their checksums, the differences between two. Makes none of them."""
