"""What may be set from the command line."""

from dataclasses import dataclass


@dataclass
class Recipe:
    """Rates are held after a warm-up and fall to 2 % over the last `anneal` views."""

    views: int = 100_000
    anneal: int = 45_000
    heads_only: int = 0
    batch: int = 32
    size: int = 300
    head_rate: float = 3e-4
    body_rate: float = 1e-4
    decay: float = 1e-4
    average: float = 0.998
    quality: float = 0.5
    check: int = 24_000
    save: int = 3_200
    keep: int = 0
    seed: int = 1
