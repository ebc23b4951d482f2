"""The kernel of pile: what every build shares. It names no source, no filter and no website."""
