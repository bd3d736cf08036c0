"""``python -m deqsci`` is the ``deqsci`` command."""

from deqsci.cli.app import run

if __name__ == "__main__":
    run()
