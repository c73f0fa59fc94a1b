"""Walks over an expression's tree, outermost first. Trees are bounded in depth (parser.py), so these
recurse freely.
"""

from collections.abc import Iterator

from vezaflow.syntax.expressions import (
    Binary,
    Call,
    Conditional,
    Expression,
    Index,
    ListOf,
    Member,
    Name,
    Range,
    Template,
    Unary,
)


def children(expression: Expression) -> tuple[Expression, ...]:
    """The direct parts of an expression, left to right as written."""
    match expression:
        case Member(target=target):
            return (target,)
        case Index(target=target, index=index):
            return (target, index)
        case Call(arguments=arguments):
            return arguments
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return (then, condition, otherwise)
        case ListOf(items=items):
            return items
        case Range(low=low, high=high):
            return (low, high)
        case Template(parts=parts):
            return parts
        case _:
            return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all within it."""
    yield expression
    for child in children(expression):
        yield from walk(child)


def names(expression: Expression) -> Iterator[Name]:
    """Every name that is used, `env` and its like included."""
    return (part for part in walk(expression) if isinstance(part, Name))


def calls(expression: Expression) -> Iterator[Call]:
    """Every call of a function."""
    return (part for part in walk(expression) if isinstance(part, Call))
