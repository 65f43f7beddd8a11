"""Exact arithmetic over a text: fractions all the way, no `eval`, bounded in size.

Knows numbers, ``+ - * / // % **``, brackets, ``round min max sum abs``, thousands commas, ``19%`` and ``of``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from fractions import Fraction

_LONGEST = 300
_MOST_BITS = 4096
_LARGEST_EXPONENT = 1024
_PLACES = 6
_SIGNS = str.maketrans("×·÷−–", "**/--")
_PERCENT_ADDED = re.compile(r"[\d)]\s*[+-]\s*\d+(?:\.\d+)?\s*%(?!\s*[\d.(a-z])")
"""100 + 19% means 119 to people and 100.19 to a calculator: neither is guessed."""
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?|\.\d+)(?![\w.])|(round|min|max|sum|abs)\b|(\*\*|//|[-+*/%(),]))")


class NotArithmetic(ValueError):
    """The text cannot be calculated; its own text is one safe sentence."""


def evaluate(expression: str) -> Fraction:
    """Return the exact value of an expression.

    Raises:
        NotArithmetic: It is no arithmetic, has no value, or grows beyond bounds.
    """
    if len(expression) > _LONGEST:
        raise NotArithmetic(f"Write at most {_LONGEST} characters.")
    text = _plain(expression)
    _check_tokens(text)
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise NotArithmetic("That is not a complete expression.") from None
    return _value(tree.body, text)


def in_digits(value: Fraction) -> str:
    """Return a value as a decimal number: exact if it ends, else rounded to six digits and marked ``about``."""
    if value.denominator == 1:
        return str(value.numerator)
    places = _ending_places(value.denominator)
    if places is not None and places <= 20:
        return _decimal(value, places)
    zeros = len(str(value.denominator // abs(value.numerator))) - 1
    return f"about {_decimal(value, _PLACES + zeros)}"


def _plain(expression: str) -> str:
    text = expression.strip().rstrip("=?. ").translate(_SIGNS)
    text = re.sub(r"[€$£]|\b(?:EUR|USD|euros?)\b", " ", text, flags=re.IGNORECASE).replace("^", "**")
    if _PERCENT_ADDED.search(text):
        raise NotArithmetic("Write 1.19 * x for x and 19 percent more, 0.81 * x for 19 percent less.")
    text = re.sub(r"(\d+(?:\.\d+)?)\s*%\s*of\b", r"(\1/100)*", text, flags=re.IGNORECASE)
    if not re.search("[a-z]", text):  # in max(1,234) the comma separates
        text = re.sub(r"(?<=\d),(?=\d{3}(?:\D|$))", "", text)
    # A percent sign before another operand is the remainder, elsewhere it is "hundredths"
    return re.sub(r"(\d+(?:\.\d+)?)\s*%(?!\s*[\d.(a-z])", r"(\1/100)", text).strip()


def _check_tokens(text: str) -> None:
    position = 0
    while position < len(text.rstrip()):
        token = _TOKEN.match(text, position)
        if token is None:
            raise NotArithmetic("Write only numbers, + - * / // % **, brackets, round, min, max, sum and abs.")
        position = token.end()


def _value(node: ast.expr, text: str) -> Fraction:
    match node:
        case ast.Constant():
            return Fraction(ast.get_source_segment(text, node) or "")
        case ast.UnaryOp(op=ast.USub()):
            return -_value(node.operand, text)
        case ast.UnaryOp(op=ast.UAdd()):
            return _value(node.operand, text)
        case ast.BinOp():
            return _bounded(_operate(node, _value(node.left, text), _value(node.right, text)))
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS:
            return _call(name, [_value(argument, text) for argument in node.args])
    raise NotArithmetic("That is not a complete expression.")


def _operate(node: ast.BinOp, left: Fraction, right: Fraction) -> Fraction:
    if isinstance(node.op, ast.Pow):
        return _power(left, right)
    if right == 0 and isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
        raise NotArithmetic("Division by zero has no value.")
    return Fraction(_OPERATIONS[type(node.op)](left, right))


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise NotArithmetic("Only whole exponents can be calculated exactly.")
    if base == 0 and exponent < 0:
        raise NotArithmetic("Division by zero has no value.")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent) > _LARGEST_EXPONENT or bits * abs(exponent) > _MOST_BITS:
        raise NotArithmetic("The number grows too large.")
    return Fraction(base**exponent.numerator)


def _call(name: str, arguments: list[Fraction]) -> Fraction:
    try:
        return Fraction(_FUNCTIONS[name](*arguments))
    except (TypeError, ValueError):
        raise NotArithmetic(f"{name} was given the wrong arguments.") from None


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
        raise NotArithmetic("The number grows too large.")
    return value


def _round(value: Fraction, places: Fraction = Fraction(0)) -> Fraction:
    """Round half away from zero, as in accounting."""
    if places.denominator != 1 or not 0 <= places <= 20:
        raise ValueError
    scale = 10 ** int(places)
    whole = (abs(value) * scale + Fraction(1, 2)) // 1
    return Fraction(whole if value >= 0 else -whole, scale)


_FUNCTIONS: dict[str, Callable[..., Fraction]] = {
    "round": _round,
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "sum": lambda *values: sum(values, Fraction(0)),
    "abs": abs,
}

_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction | int]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: lambda left, right: left % right,
}


def _ending_places(denominator: int) -> int | None:
    """Return how many decimal places 1/denominator has; None when they never end."""
    counts = []
    for prime in (2, 5):
        count = 0
        while denominator % prime == 0:
            denominator //= prime
            count += 1
        counts.append(count)
    return max(counts) if denominator == 1 else None


def _decimal(value: Fraction, places: int) -> str:
    rounded = _round(value, Fraction(places))
    digits = str(abs(rounded.numerator) * 10**places // rounded.denominator).rjust(places + 1, "0")
    return f"{'-' if rounded < 0 else ''}{digits[:-places]}.{digits[-places:]}"
