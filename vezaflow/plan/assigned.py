"""Which variables steps set."""

from collections.abc import Iterable, Iterator

from vezaflow.model import (
    Choose,
    For,
    Group,
    If,
    Include,
    Paginate,
    Parallel,
    Poll,
    Repeat,
    Request,
    Set,
    Step,
    Upload,
    While,
)


def assigned(steps: Iterable[Step]) -> Iterator[str]:
    """The names of the variables that steps set: by `set`, `extract` and `for`, and the outputs of fragments."""
    for step in steps:
        match step:
            case Request():
                yield from (extract.name for extract in step.extract)
            case Poll(request=request) | Paginate(request=request):
                yield from assigned((request,))
            case Upload(request):
                yield "part"
                yield from assigned((request,))
            case Include():
                yield from (here for _, here in step.outputs)
            case Set(values, _):
                yield from (name for name, _, _ in values)
            case For(variable=variable, steps=inner):
                yield variable
                yield from assigned(inner)
            case Choose(branches, _):
                for branch in branches:
                    yield from assigned(branch.steps)
            case Parallel(branches):
                yield from assigned(branches)
            case Repeat() | While() | Group():
                yield from assigned(step.steps)
            case If(_, then, otherwise, _):
                yield from assigned((*then, *otherwise))
            case _:
                pass
