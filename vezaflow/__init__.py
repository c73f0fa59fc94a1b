"""vezaflow: load testing written in YAML, with a verdict you can trust."""

__version__ = "0.1.0"
