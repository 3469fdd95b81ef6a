"""Networks by name: backbones, heads and their first weights."""
