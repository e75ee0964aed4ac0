# SPDX-License-Identifier: GPL-3.0-or-later
# bash completion for bailiwick(1). The program itself says which commands and options there are.

_bailiwick_commands() {
    bailiwick "$@" 2>/dev/null | sed -n 's/^  \([a-z]\+\) .*/\1/p'
}

_bailiwick_options() {
    bailiwick help "$@" 2>/dev/null | sed -n 's/^  \(--[a-z-]\+\).*/\1/p'
}

_bailiwick_orders() {
    bailiwick orders --json ${1:+--config "$1"} 2>/dev/null | sed -n 's/^{"id":"\([^"]*\)".*/\1/p'
}

_bailiwick_servers() {
    bailiwick upstream ${1:+--config "$1"} 2>/dev/null | sed -n '2,$s/ .*//p'
}

_bailiwick() {
    local current=$2 previous=$3 command config='' words='' first=1 i
    for ((i = 1; i < COMP_CWORD - 1; i++)); do
        if [ "${COMP_WORDS[i]}" = --config ]; then
            config=${COMP_WORDS[i + 1]}
            ((first == i)) && first=$((i + 2)) # the command stands behind it
        fi
    done
    command=${COMP_WORDS[first]-}
    compopt -o default
    if [ "$previous" = --config ] || [ "$previous" = --queries ] || [ "$previous" = --batch ] ||
        [ "$previous" = --tickets ]; then
        words= # files
    elif ((COMP_CWORD == first)); then
        words="$(_bailiwick_commands --help) --config"
    elif [[ $current == -* ]]; then
        if [[ $command == @(order|audit) ]] && ((COMP_CWORD > first + 1)); then
            words=$(_bailiwick_options "$command" "${COMP_WORDS[first + 1]}")
        else
            words=$(_bailiwick_options "$command")
        fi
    elif [[ $command == @(order|audit) ]] && ((COMP_CWORD == first + 1)); then
        words=$(_bailiwick_commands help "$command")
    elif [ "$command" = upstream ]; then
        case $previous in
            upstream) words='drain undrain' ;;
            drain | undrain | --force) words=$(_bailiwick_servers "$config") ;;
        esac
    elif [ "$command" = help ]; then
        words=$(_bailiwick_commands --help)
    elif [ "$command" = impact ] || [ "$command" = order ] || [ "$previous" = --order ]; then
        words=$(_bailiwick_orders "$config")
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _bailiwick bailiwick
