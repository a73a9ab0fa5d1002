# fish completion of kubectl-mage: asks the program itself whenever TAB is pressed.

# Sets what to offer. False where fish is to complete the names of files.
function __kubectl_mage_asked
    set -l words (commandline --current-process --tokenize --cut-at-cursor | string replace --regex '^~(?=/)' "$HOME")
    set -l typed (string replace --all --regex '["\'\\\\]' '' -- (commandline --current-token --cut-at-cursor))
    set -l answer (kubectl-mage __complete $words[2..] "$typed" 2>/dev/null)
    # Of --flag=value the answer has the value.
    set -l flag (string match --regex -- '^-[^=]*=' "$typed")
    set --global __kubectl_mage_values "$flag"$answer[..-2]
    test (count $answer) -gt 1; or test "$answer[-1]" = :4
end

complete --command kubectl-mage --erase
complete --command kubectl-mage --condition __kubectl_mage_asked --no-files --arguments '$__kubectl_mage_values'
