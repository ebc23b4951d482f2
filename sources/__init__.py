"""One file per source: where the bytes are, and how to read them."""
