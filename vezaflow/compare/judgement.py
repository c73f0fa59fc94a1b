"""What became of a figure from one run to another."""

from enum import Enum


class Judgement(Enum):
    """What became of a figure."""

    WORSE = "worse"
    BETTER = "better"
    DIFFERENT = "different"  # of a rate of requests or a function's share, where neither way is better
    SAME = "no change seen"
    UNCLEAR = "too little to tell"

    @property
    def real(self) -> bool:
        return self in (Judgement.WORSE, Judgement.BETTER, Judgement.DIFFERENT)
