"""A new project: suite, pre-commit configuration and nightly workflow, as texts."""

from vezaflow.project.files import Forge, project_files, shipped_workflow

__all__ = ["Forge", "project_files", "shipped_workflow"]
