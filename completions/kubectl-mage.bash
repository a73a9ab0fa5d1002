# bash completion of kubectl-mage: asks the program itself whenever TAB is pressed.
# shellcheck shell=bash

_kubectl_mage() {
    # bash breaks words at = and : and @ too; a blank tells where one begins.
    local line=${COMP_LINE:0:COMP_POINT} rest i words=() last=-1
    for ((i = 0; i <= COMP_CWORD; i++)); do
        rest=${line#"${line%%[![:blank:]]*}"}
        if ((last < 0)) || [[ $rest != "$line" ]]; then
            words[++last]=
        fi
        ((i < COMP_CWORD)) || break
        words[last]+=${COMP_WORDS[i]}
        line=${rest#"${COMP_WORDS[i]}"}
    done
    words[last]+=$rest

    local typed=${words[last]} answer directive
    words[last]=${typed//[\"\'\\]/}
    answer=$(
        for ((i = 1; i < last; i++)); do
            # Quotes, ~ and variables count as they would in the command; nothing is run.
            [[ ${words[i]} == *[\`\(\;\&\|\<\>]* ]] || eval "words[i]=${words[i]}"
        done 2>/dev/null
        kubectl-mage __complete "${words[@]:1}" 2>/dev/null
    )
    directive=${answer##*:}
    if ((directive & 2)); then compopt -o nospace; fi 2>/dev/null
    if ((directive & 4)); then compopt +o default; fi 2>/dev/null

    # What bash has broken off stays as it is.
    if [[ $typed == -*=* ]]; then typed=${typed#*=}; fi
    local kept=${typed%"$2"} value about longest=0 abouts=()
    COMPREPLY=()
    while IFS=$'\t' read -r value about; do
        [[ -n $value ]] || continue
        [[ $typed == *[\"\']* ]] || printf -v value %q "$value"
        value=${value#"$kept"}
        COMPREPLY+=("$value")
        abouts+=("$about")
        ((${#value} <= longest)) || longest=${#value}
    done <<<"${answer%:*}"

    # 63: a list is shown, and nothing is put into the line.
    if [[ $COMP_TYPE == 63 ]]; then
        for i in "${!COMPREPLY[@]}"; do
            [[ -n ${abouts[i]} ]] || continue
            printf -v line '%-*s  (%s)' "$longest" "${COMPREPLY[i]}" "${abouts[i]}"
            COMPREPLY[i]=${line:0:${COLUMNS:-80} - 1}
        done
    fi
}

complete -o default -F _kubectl_mage kubectl-mage
