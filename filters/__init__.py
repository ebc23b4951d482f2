"""One file per judgement of one document."""
