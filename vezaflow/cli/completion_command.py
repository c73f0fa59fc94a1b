"""`vezaflow completion`: the script that makes a shell complete vezaflow's commands, options, flows and runs."""

import sys

import click

from vezaflow.cli.completion import SCRIPTS


@click.command("completion")
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def command(shell: str) -> None:
    """Print the script that completes commands, options, flow files and runs in a shell.

    \b
      bash   echo 'source <(vezaflow completion bash)' >> ~/.bashrc
      zsh    vezaflow completion zsh > "${fpath[1]}/_vezaflow"
      fish   vezaflow completion fish > ~/.config/fish/completions/vezaflow.fish
    """
    sys.stdout.write(SCRIPTS[shell])
