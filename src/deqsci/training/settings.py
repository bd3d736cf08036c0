"""Settings from a YAML file and the command line made into dataclasses; errors name the place."""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

from deqsci.errors import ConfigError

T = TypeVar("T")


def read_yaml(path: Path) -> Any:
    """What the file holds; a ConfigError where it cannot be read."""
    try:
        return yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {error}") from error


def parse_changes(words: Sequence[str]) -> dict[str, str]:
    """``--a.b 1 --c=2`` → {"a.b": "1", "c": "2"}; anything else is a ConfigError."""
    changes: dict[str, str] = {}
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--"):
            raise ConfigError(f"{word!r} is no setting; wanted --section.key value")
        name, equals, value = word[2:].partition("=")
        if not equals:
            if not left:
                raise ConfigError(f"--{name} has no value; wanted --section.key value")
            value = left.pop(0)
        changes[name.replace("-", "_")] = value
    return changes


def override(settings: Any, changes: Mapping[str, str]) -> Any:
    """The settings with values put in at dotted places, ``{"stages.0.batch": "8"}``.

    A value is read as YAML. A place may be new where a mapping lacks the key (building the
    dataclass tells whether it exists); an entry of a list must be there.
    """
    for place, text in changes.items():
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"--{place} {text}: not a YAML value") from error
        settings = _put(settings, place.split("."), value, place)
    return settings


def build(cls: type[T], settings: object, where: str) -> T:
    """The dataclass from a mapping; unknown, missing and ill-typed settings are ConfigErrors."""
    if not isinstance(settings, dict):
        raise ConfigError(f"{where}: wanted a mapping of settings, found {_told(settings)}")
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for name in settings:
        if name not in fields:
            raise ConfigError(f"{where}: unknown setting {name}{_nearest(name, fields)}")
    for name, f in fields.items():
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if required and name not in settings:
            raise ConfigError(f"{where}: missing setting {name}")
    hints = get_type_hints(cls)
    values = {k: _convert(hints[k], v, f"{where}: {k}") for k, v in settings.items()}
    try:
        return cls(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        (hint,) = (a for a in arguments if a is not type(None))
        return _convert(hint, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where}: wanted a list, found {_told(value)}")
        if arguments[-1] is Ellipsis:
            kinds = [arguments[0]] * len(value)
        elif len(value) == len(arguments):
            kinds = list(arguments)
        else:
            raise ConfigError(f"{where}: wanted {len(arguments)} values, found {len(value)}")
        return tuple(
            _convert(kind, v, f"{where}.{i}") for i, (kind, v) in enumerate(zip(kinds, value))
        )
    if dataclasses.is_dataclass(hint):
        return build(hint, value, where)  # type: ignore[arg-type]
    if origin is dict:
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: wanted a mapping, found {_told(value)}")
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is float and isinstance(value, str):  # YAML 1.1 takes 1e-3 for a word
        try:
            return float(value)
        except ValueError:
            pass
    if hint is Path and isinstance(value, str):
        return Path(value)
    if type(value) is not hint:
        raise ConfigError(f"{where}: wanted {hint.__name__}, found {_told(value)}")
    return value


def _put(node: Any, keys: list[str], value: Any, place: str) -> Any:
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if isinstance(node, list):
        if not (key.isdigit() and int(key) < len(node)):
            raise ConfigError(f"--{place}: {key!r} is none of the entries 0 to {len(node) - 1}")
        changed = list(node)
        changed[int(key)] = _put(node[int(key)], rest, value, place)
        return changed
    if node is not None and not isinstance(node, dict):
        raise ConfigError(f"--{place}: nothing lies below the value {node!r}")
    below = dict(node or {})
    below[key] = _put(below.get(key), rest, value, place)
    return below


def _nearest(name: object, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _told(value: object) -> str:
    return f"{type(value).__name__} {value!r}"[:80]
