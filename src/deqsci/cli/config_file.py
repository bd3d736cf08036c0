"""``--config FILE``: option values from YAML, checked exactly like those of the command line."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App, ArgumentCollection
from cyclopts.config import Dict

from deqsci.errors import ConfigError


def apply_config_file(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Give the options that the command line leaves out the values of the ``--config`` file.

    Its keys are the names of the options without the dashes. Cyclopts calls this while parsing and
    refuses unknown keys, naming the nearest option.
    """
    for argument in arguments:
        if argument.name == "--config" and argument.tokens:
            path = Path(argument.tokens[-1].value)
            values = Dict(_read(path), source=str(path), use_commands_as_keys=False)
            values(app, commands, arguments)
            return


def _read(path: Path) -> dict[str, object]:
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path} cannot be read as a YAML file of options: {reason}") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(
            f"{path} holds {type(values).__name__} where options were wanted; "
            "write lines such as max-iter: 50"
        )
    return values
