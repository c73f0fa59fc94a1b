"""Shell completion: the scripts for bash, zsh and fish, and what they ask the program for.

Laws: a script calls the program with the line so far and gets lines of a type and a word: `plain` is a word, `flow`,
`file` and `dir` leave it to the shell to complete paths. Nothing is printed for a line that can't be completed, and
nothing but the history is read. How lines are set is agreed here between script and program, whatever click does.
"""

import os
from collections.abc import Mapping
from types import MappingProxyType

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

from vezaflow.errors import VezaflowError

VARIABLE = "_VEZAFLOW_COMPLETE"
FLOW = "flow"

_BASH = f"""\
_vezaflow_completion() {{
    local cur="${{COMP_WORDS[COMP_CWORD]}}" type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case "$type" in
            plain) COMPREPLY+=("$value") ;;
            dir)
                compopt -o filenames
                mapfile -t -O "${{#COMPREPLY[@]}}" COMPREPLY < <(compgen -d -- "$cur") ;;
            file)
                compopt -o filenames
                mapfile -t -O "${{#COMPREPLY[@]}}" COMPREPLY < <(compgen -f -- "$cur") ;;
            flow)
                compopt -o filenames
                mapfile -t -O "${{#COMPREPLY[@]}}" COMPREPLY < <(
                    compgen -f -X '!*.yml' -- "$cur"
                    compgen -f -X '!*.yaml' -- "$cur"
                    compgen -d -- "$cur"
                ) ;;
        esac
    done < <(
        IFS=$'\\n'
        env COMP_WORDS="${{COMP_WORDS[*]}}" COMP_CWORD="$COMP_CWORD" {VARIABLE}=bash "$1" 2>/dev/null
    )
}}
complete -o nosort -F _vezaflow_completion vezaflow
"""

_ZSH = f"""\
#compdef vezaflow

_vezaflow_completion() {{
    local -a completions described response
    local type key descr
    (( ! $+commands[vezaflow] )) && return 1
    response=("${{(@f)$(
        env COMP_WORDS="${{words[*]}}" COMP_CWORD=$((CURRENT-1)) {VARIABLE}=zsh vezaflow 2>/dev/null
    )}}")
    for type key descr in ${{response}}; do
        case "$type" in
            plain)
                if [[ "$descr" == "_" ]]; then
                    completions+=("$key")
                else
                    described+=("${{key//:/\\\\:}}:$descr")
                fi ;;
            dir) _path_files -/ ;;
            file) _files ;;
            flow) _files -g '*.(yml|yaml)(-.)' ;;
        esac
    done
    if (( ${{#described}} )); then
        _describe -V unsorted described -U
    fi
    if (( ${{#completions}} )); then
        compadd -U -V unsorted -a completions
    fi
}}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _vezaflow_completion "$@"
else
    compdef _vezaflow_completion vezaflow
fi
"""

_FISH = f"""\
function _vezaflow_completion
    set -l response (env {VARIABLE}=fish COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -t) vezaflow 2>/dev/null)
    for completion in $response
        set -l parts (string split -m 1 "," -- $completion)
        switch $parts[1]
            case plain
                echo $parts[2]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case flow
                __fish_complete_path $parts[2] | string match --entire --regex '(/|\\.ya?ml)(\\t|$)'
        end
    end
end

complete --no-files --command vezaflow --arguments "(_vezaflow_completion)"
"""

SCRIPTS: Mapping[str, str] = MappingProxyType({"bash": _BASH, "zsh": _ZSH, "fish": _FISH})


class _Bash(BashComplete):
    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type},{item.value}"


class _Zsh(ZshComplete):
    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type}\n{item.value}\n{_line(item.help) or '_'}"


class _Fish(FishComplete):
    def format_completion(self, item: CompletionItem) -> str:
        described = f"\t{_line(item.help)}" if item.help else ""
        return f"{item.type},{item.value}{described}"


_SHELLS: Mapping[str, type[ShellComplete]] = MappingProxyType({"bash": _Bash, "zsh": _Zsh, "fish": _Fish})


def completed(program: click.Command, environment: Mapping[str, str] = os.environ) -> str | None:
    """What the script of a shell asks for; None where it is no script that asks."""
    shell = _SHELLS.get(environment.get(VARIABLE, ""))
    if shell is None:
        return None
    try:
        return shell(program, {}, "vezaflow", VARIABLE).complete()
    except (VezaflowError, click.ClickException, KeyError, ValueError):  # a line that is not right yet
        return ""


def _line(text: str | None) -> str:
    return " ".join((text or "").split())
