# shells.zsh SCRIPT LINE...: types each LINE, which may have TABs, into an interactive zsh that loads
# SCRIPT, and prints the words that a command got.
zmodload zsh/zpty
folder=${1:h}
shift
zpty shell "PS1= zsh -f -i"

# Prints what the shell writes between two marks, once the second is there.
words_of() {
    local line all
    while zpty -r shell line; do
        all+=$line
        [[ $line != *$'\x02'* ]] || break
    done
    print -r -- "${${all##*$'\x01'}%%$'\x02'*}"
}

zpty -w shell "fpath=($folder \$fpath); autoload -Uz compinit; compinit -u -D; compdef _kubectl-mage show"
zpty -w shell "show() { print -rn -- \$'\\x01'; print -rn -- \"<\${(j:><:)@}>\"; print -r -- \$'\\x02' }; show ready"
words_of >/dev/null
for line; do
    zpty -w shell "show $line"
    words_of
done
zpty -d shell
