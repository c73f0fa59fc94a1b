"""The group of commands. Each command's module is imported when it is asked for, so that `--help` is quick."""

import gc
import os
import signal
import sys
from importlib import import_module
from io import TextIOWrapper
from types import FrameType

import click
from click.shell_completion import CompletionItem

from vezaflow import __version__
from vezaflow.cli.completion import VARIABLE, completed
from vezaflow.cli.printing import close_streams, complain, open_streams, say, show_bug
from vezaflow.errors import ExitCode, VezaflowError

COMMANDS = {
    "accept": "Say whether enough nights in a row were green.",
    "audit": "Audit the pages of a web application with Lighthouse.",
    "baseline": "Set what runs are compared with, and write it as a document.",
    "capacity": "Find the highest multiple of the load at which the gates hold.",
    "compare": "Show what changed from one run to another, and how sure that is.",
    "completion": "Print the script that completes commands, options, flows and runs in a shell.",
    "doctor": "Show what this machine can carry, and what to do where it is poor.",
    "explain": "Show what a run will do: load, resources, hosts, gates.",
    "init": "Create a project: flows to start from, a lint hook, a nightly workflow.",
    "history": "List the runs that were kept; show, export, import, delete, prune them.",
    "lint": "Check flow files without sending anything.",
    "mark": "Mark a moment of a running test, or start one of its events.",
    "merge": "Merge the results of a run's segments into one verdict.",
    "pause": "Pause a running test from another terminal.",
    "report": "Write the HTML page of a run, or of several side by side.",
    "rerun": "Run a kept run again, with the secrets of today.",
    "resume": "Resume a paused test.",
    "run": "Run a load test; the exit code is the verdict.",
    "sandbox": "Serve a Veza-like API on this machine, to try flows on it.",
    "scale": "Change the number of VUs of a flow in a running test.",
    "schema": "Print the JSON Schema that editors use to complete and check flow files.",
    "status": "Show the status of a running test from another terminal.",
    "stop": "Stop a running test, as one Ctrl-C does.",
    "trends": "Show the nights on which a step became slower or faster.",
    "try": "Run one flow once with one VU, and show every request and response.",
}


class Commands(click.Group):
    """Finds `vezaflow NAME` in vezaflow/cli/NAME_command.py."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            raise VezaflowError(f"unknown command '{cmd_name}'", hint=_meant(cmd_name))
        command: click.Command = import_module(f"vezaflow.cli.{cmd_name}_command").command
        if not gc.isenabled():  # as entry.py began: what was imported stays, and is not walked again
            gc.freeze()
            gc.enable()
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and the program's own options, without an import of any command."""
        names = [name for name in sorted(COMMANDS) if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=COMMANDS[name]) for name in names), *options]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version")
def program() -> None:
    """Load testing written in YAML, with a verdict you can trust.

    \b
      vezaflow try flows/browse.yml --sandbox    one user, one iteration, everything shown
      vezaflow run flows/ --sandbox              the whole suite against a target of vezaflow's own
      vezaflow lint flows/                       what is wrong, and where
    """


def main() -> None:
    """Run the program. What the user can mend is one line and a hint; anything else is a bug, with its traceback."""
    gc.set_threshold(50_000, 20, 100)  # a program that has just begun holds no garbage: 5 % of a lint
    open_streams()
    if VARIABLE in os.environ and (found := completed(program)) is not None:
        sys.stdout.write(f"{found}\n")
        sys.exit(ExitCode.GREEN)
    sys.excepthook = show_bug
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and sys.stdin.isatty():
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's shell ignores it; a terminal means it
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        for ending in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(ending) is signal.SIG_DFL:
                signal.signal(ending, _as_ctrl_c)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no `›` shows `?`
    try:
        program(prog_name="vezaflow", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as e:
        say(e.format_message())
        sys.exit(ExitCode.USAGE)
    except click.ClickException as e:
        complain(_lowered(e.format_message()), _help_of(e))
        sys.exit(ExitCode.USAGE)
    except click.exceptions.Exit as e:
        sys.exit(e.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(ExitCode.INTERRUPTED)
    except VezaflowError as e:
        complain(e.message, e.hint)
        sys.exit(e.code)
    except BrokenPipeError:  # of `--help | head`, which click prints
        sys.exit(ExitCode.GREEN)
    finally:
        close_streams()
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the exit code stands, Python only tidies up
            signal.signal(ending, signal.SIG_IGN)


def _as_ctrl_c(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:].removesuffix(".")


def _help_of(error: click.ClickException) -> str:
    """Where a command's options stand, when one of them was the mistake."""
    context = getattr(error, "ctx", None)
    return f"see `{context.command_path} --help`" if context is not None else ""


def _meant(word: str) -> str:
    from vezaflow.diagnostics import suggest

    near = suggest(word, COMMANDS)
    return f"did you mean '{near}'?" if near else "`vezaflow --help` lists the commands"
