# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_kubectl_mage_global_optspecs
    string join \n q/quiet v= color= h/help V/version
end

function __fish_kubectl_mage_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_kubectl_mage_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_kubectl_mage_using_subcommand
    set -l cmd (__fish_kubectl_mage_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -s V -l version -d 'Print version'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "render" -d 'Print the Jobs of a pipeline or block, exactly as they would be sent'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "explain-config" -d 'Tell which layer supplied each value of a Job'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "explain" -d 'Tell which layer supplied each value of a Job'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "lint" -d 'Find everything wrong or doubtful in all layers'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "diff" -d 'Show what differs between the Jobs of the project and those of a cluster, a git revision or a run'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "graph" -d 'Show the graph of a pipeline\'s blocks'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "apply" -d 'Create or update the Job of a block, or stage the Jobs of several'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "run" -d 'Run a pipeline, or the blocks named, with progress and logs'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "resume" -d 'Go on with a run where it stopped'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "attach" -d 'Follow a run that somebody else drives'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "tail" -d 'Follow the logs of a run, a pipeline, blocks or a Job until the Jobs end, and end as they did'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "logs" -d 'Print the logs of a run, a pipeline, blocks or a Job'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "runs" -d 'List the runs in a namespace'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "status" -d 'Show how a run stands, block by block, and who drives it'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "why" -d 'Say why something is pending or failed, and what to do'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "cancel" -d 'Stop a run and leave no pod behind'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "delete" -d 'Remove a run that is over: its Jobs, pods and recorded plan'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "prune" -d 'Remove the runs that ended long ago'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "snapshot" -d 'Write what a cluster says about configuration, for --snapshot'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "doctor" -d 'Check whether everything is there that a run needs'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "completion" -d 'Write a completion script'
complete -c kubectl-mage -n "__fish_kubectl_mage_needs_command" -f -a "version" -d 'Print the version'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -s o -l output -d 'Output format' -r -f -a "yaml\t''
json\t''
name\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l project -d 'Mage project: the folder that holds metadata.yaml' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l edition -d 'Whose merge rules: auto, oss or pro' -r -f -a "auto\t'What the server pod runs, else the user\'s config file, else pro'
oss\t'What a Mage OSS server really does, losses included'
pro\t'What Mage documents: a deep merge of every layer'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l template -d 'The full template; default: `K8S_CONFIG_FILE` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l policy -d 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l server-env -d 'A variable of the Mage server\'s environment; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l server-env-file -d 'A dotenv file with the Mage server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l server-pod -d 'The Mage server\'s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l snapshot -d 'A file made by `kubectl mage snapshot`, which stands for the cluster' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l var -d 'A runtime variable: a JSON value or text; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l secret -d 'What a `*_secret_var` function should give; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l trigger -d 'The trigger\'s name, for `{trigger_name}`' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l block-run-id -d 'The id Mage\'s scheduler would give the block run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l pipeline-run-id -d 'The id Mage\'s scheduler would give the pipeline run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l execution-partition -d 'The partition blocks keep their output in' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l template-runtime-configuration -d 'What Mage passes to data integration blocks' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l repo-path -d 'The project\'s path in the pod' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l image -d 'Container image' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l mask -d 'Hide literal secrets'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l validate -d 'Ask the API server whether it would take every Job: a dry run that refuses unknown fields'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l offline -d 'Never open a connection'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l allow-unset -d 'Render names that are not set in Jinja as empty instead of failing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -l only-k8s -d 'Leave out blocks that Mage itself would not run in Kubernetes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand render" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l why -d 'Print one value\'s whole history, lowest layer first' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -s o -l output -d 'Output format' -r -f -a "table\t''
json\t''
annotated\t'The Job as YAML, each line\'s origin behind it'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l project -d 'Mage project: the folder that holds metadata.yaml' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l edition -d 'Whose merge rules: auto, oss or pro' -r -f -a "auto\t'What the server pod runs, else the user\'s config file, else pro'
oss\t'What a Mage OSS server really does, losses included'
pro\t'What Mage documents: a deep merge of every layer'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l template -d 'The full template; default: `K8S_CONFIG_FILE` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l policy -d 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l server-env -d 'A variable of the Mage server\'s environment; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l server-env-file -d 'A dotenv file with the Mage server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l server-pod -d 'The Mage server\'s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l snapshot -d 'A file made by `kubectl mage snapshot`, which stands for the cluster' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l var -d 'A runtime variable: a JSON value or text; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l secret -d 'What a `*_secret_var` function should give; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l trigger -d 'The trigger\'s name, for `{trigger_name}`' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l block-run-id -d 'The id Mage\'s scheduler would give the block run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l pipeline-run-id -d 'The id Mage\'s scheduler would give the pipeline run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l execution-partition -d 'The partition blocks keep their output in' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l template-runtime-configuration -d 'What Mage passes to data integration blocks' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l repo-path -d 'The project\'s path in the pod' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l image -d 'Container image' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l all -d 'Add what is built in and, where a cluster is there, what its API server adds (by a dry run)'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l overridden -d 'Add what lost, with its own source and the reason'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l layers -d 'List every layer in order, present or not, and where it was looked for'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l show-secrets -d 'Show secrets'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l no-headers -d 'Leave out the table\'s header'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l offline -d 'Never open a connection'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l allow-unset -d 'Render names that are not set in Jinja as empty instead of failing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -l only-k8s -d 'Leave out blocks that Mage itself would not run in Kubernetes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain-config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l why -d 'Print one value\'s whole history, lowest layer first' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -s o -l output -d 'Output format' -r -f -a "table\t''
json\t''
annotated\t'The Job as YAML, each line\'s origin behind it'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l project -d 'Mage project: the folder that holds metadata.yaml' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l edition -d 'Whose merge rules: auto, oss or pro' -r -f -a "auto\t'What the server pod runs, else the user\'s config file, else pro'
oss\t'What a Mage OSS server really does, losses included'
pro\t'What Mage documents: a deep merge of every layer'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l template -d 'The full template; default: `K8S_CONFIG_FILE` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l policy -d 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l server-env -d 'A variable of the Mage server\'s environment; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l server-env-file -d 'A dotenv file with the Mage server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l server-pod -d 'The Mage server\'s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l snapshot -d 'A file made by `kubectl mage snapshot`, which stands for the cluster' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l var -d 'A runtime variable: a JSON value or text; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l secret -d 'What a `*_secret_var` function should give; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l trigger -d 'The trigger\'s name, for `{trigger_name}`' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l block-run-id -d 'The id Mage\'s scheduler would give the block run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l pipeline-run-id -d 'The id Mage\'s scheduler would give the pipeline run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l execution-partition -d 'The partition blocks keep their output in' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l template-runtime-configuration -d 'What Mage passes to data integration blocks' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l repo-path -d 'The project\'s path in the pod' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l image -d 'Container image' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l all -d 'Add what is built in and, where a cluster is there, what its API server adds (by a dry run)'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l overridden -d 'Add what lost, with its own source and the reason'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l layers -d 'List every layer in order, present or not, and where it was looked for'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l show-secrets -d 'Show secrets'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l no-headers -d 'Leave out the table\'s header'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l offline -d 'Never open a connection'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l allow-unset -d 'Render names that are not set in Jinja as empty instead of failing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -l only-k8s -d 'Leave out blocks that Mage itself would not run in Kubernetes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -s o -l output -d 'Output format: text, json, sarif or github; `FORMAT=FILE` writes a file; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l fail-on -d 'The least severity for which the exit code is 1' -r -f -a "error\t''
warning\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l project -d 'Mage project: the folder that holds metadata.yaml' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l edition -d 'Whose merge rules: auto, oss or pro' -r -f -a "auto\t'What the server pod runs, else the user\'s config file, else pro'
oss\t'What a Mage OSS server really does, losses included'
pro\t'What Mage documents: a deep merge of every layer'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l template -d 'The full template; default: `K8S_CONFIG_FILE` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l policy -d 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l server-env -d 'A variable of the Mage server\'s environment; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l server-env-file -d 'A dotenv file with the Mage server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l server-pod -d 'The Mage server\'s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l snapshot -d 'A file made by `kubectl mage snapshot`, which stands for the cluster' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l var -d 'A runtime variable: a JSON value or text; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l secret -d 'What a `*_secret_var` function should give; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l trigger -d 'The trigger\'s name, for `{trigger_name}`' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l block-run-id -d 'The id Mage\'s scheduler would give the block run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l pipeline-run-id -d 'The id Mage\'s scheduler would give the pipeline run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l execution-partition -d 'The partition blocks keep their output in' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l template-runtime-configuration -d 'What Mage passes to data integration blocks' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l repo-path -d 'The project\'s path in the pod' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l image -d 'Container image' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l strict -d 'An enforced policy that overrides what a user set is an error'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l live -d 'Check against the cluster too: namespaces, accounts, claims, nodes, quotas; `--snapshot` does the same without one'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l fix -d 'Edit the files in place where a finding has a safe fix'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l offline -d 'Never open a connection'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l allow-unset -d 'Render names that are not set in Jinja as empty instead of failing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -l only-k8s -d 'Leave out blocks that Mage itself would not run in Kubernetes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand lint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l against -d 'What to compare with: live, rev:REV, run:RUN, edition:oss|pro, env:ENV or snapshot:FILE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -s o -l output -d 'Output format' -r -f -a "diff\t'As `diff -u` does, each changed line\'s origin behind it'
summary\t'One line a Job, and a sentence'
json\t'Every changed field, by docs/schemas/diff.schema.json'
markdown\t'For a comment on a pull request'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l project -d 'Mage project: the folder that holds metadata.yaml' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l edition -d 'Whose merge rules: auto, oss or pro' -r -f -a "auto\t'What the server pod runs, else the user\'s config file, else pro'
oss\t'What a Mage OSS server really does, losses included'
pro\t'What Mage documents: a deep merge of every layer'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l template -d 'The full template; default: `K8S_CONFIG_FILE` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l policy -d 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l server-env -d 'A variable of the Mage server\'s environment; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l server-env-file -d 'A dotenv file with the Mage server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l server-pod -d 'The Mage server\'s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l snapshot -d 'A file made by `kubectl mage snapshot`, which stands for the cluster' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l var -d 'A runtime variable: a JSON value or text; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l secret -d 'What a `*_secret_var` function should give; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l trigger -d 'The trigger\'s name, for `{trigger_name}`' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l block-run-id -d 'The id Mage\'s scheduler would give the block run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l pipeline-run-id -d 'The id Mage\'s scheduler would give the pipeline run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l execution-partition -d 'The partition blocks keep their output in' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l template-runtime-configuration -d 'What Mage passes to data integration blocks' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l repo-path -d 'The project\'s path in the pod' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l image -d 'Container image' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l show-secrets -d 'Show secrets'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l offline -d 'Never open a connection'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l allow-unset -d 'Render names that are not set in Jinja as empty instead of failing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -l only-k8s -d 'Leave out blocks that Mage itself would not run in Kubernetes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -s o -l output -d 'Output format' -r -f -a "text\t''
mermaid\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l project -d 'Mage project: the folder that holds metadata.yaml' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l edition -d 'Whose merge rules: auto, oss or pro' -r -f -a "auto\t'What the server pod runs, else the user\'s config file, else pro'
oss\t'What a Mage OSS server really does, losses included'
pro\t'What Mage documents: a deep merge of every layer'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l template -d 'The full template; default: `K8S_CONFIG_FILE` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l policy -d 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l server-env -d 'A variable of the Mage server\'s environment; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l server-env-file -d 'A dotenv file with the Mage server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l server-pod -d 'The Mage server\'s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l snapshot -d 'A file made by `kubectl mage snapshot`, which stands for the cluster' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l var -d 'A runtime variable: a JSON value or text; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l secret -d 'What a `*_secret_var` function should give; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l trigger -d 'The trigger\'s name, for `{trigger_name}`' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l block-run-id -d 'The id Mage\'s scheduler would give the block run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l pipeline-run-id -d 'The id Mage\'s scheduler would give the pipeline run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l execution-partition -d 'The partition blocks keep their output in' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l template-runtime-configuration -d 'What Mage passes to data integration blocks' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l repo-path -d 'The project\'s path in the pod' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l image -d 'Container image' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l offline -d 'Never open a connection'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l allow-unset -d 'Render names that are not set in Jinja as empty instead of failing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -l only-k8s -d 'Leave out blocks that Mage itself would not run in Kubernetes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand graph" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l dry-run -d 'Only say what would be done: `client` compares here, `server` has the API server check it' -r -f -a "none\t'It is done'
client\t'Nothing is sent'
server\t'Everything is sent, and nothing stored'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l timeout -d 'How long --wait waits, and --replace for the old Job to be gone' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -s o -l output -d 'Print the Jobs instead of what was done; literal secrets are masked' -r -f -a "json\t''
name\t''
yaml\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l project -d 'Mage project: the folder that holds metadata.yaml' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l edition -d 'Whose merge rules: auto, oss or pro' -r -f -a "auto\t'What the server pod runs, else the user\'s config file, else pro'
oss\t'What a Mage OSS server really does, losses included'
pro\t'What Mage documents: a deep merge of every layer'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l template -d 'The full template; default: `K8S_CONFIG_FILE` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l policy -d 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l server-env -d 'A variable of the Mage server\'s environment; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l server-env-file -d 'A dotenv file with the Mage server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l server-pod -d 'The Mage server\'s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l snapshot -d 'A file made by `kubectl mage snapshot`, which stands for the cluster' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l var -d 'A runtime variable: a JSON value or text; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l secret -d 'What a `*_secret_var` function should give; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l trigger -d 'The trigger\'s name, for `{trigger_name}`' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l block-run-id -d 'The id Mage\'s scheduler would give the block run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l pipeline-run-id -d 'The id Mage\'s scheduler would give the pipeline run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l execution-partition -d 'The partition blocks keep their output in' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l template-runtime-configuration -d 'What Mage passes to data integration blocks' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l repo-path -d 'The project\'s path in the pod' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l image -d 'Container image' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l suspend -d 'Create even a single Job suspended: nothing runs until somebody starts it'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l start -d 'Start all Jobs at once, also those that are suspended'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l ignore-upstream -d 'Start a single block although no Job of its upstream blocks has finished'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l replace -d 'Delete and create anew what cannot be changed in place'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l force -d 'Replace active Jobs too: what runs is stopped'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l force-conflicts -d 'Take over fields that another field manager has set otherwise'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l wait -d 'Wait until the Jobs have ended; the exit code tells the outcome'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l strict-policy -d 'Refuse where an enforced policy overrides what a project, a pipeline or a block sets'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -s y -l yes -d 'Do not ask, also in a protected context'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l offline -d 'Never open a connection'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l allow-unset -d 'Render names that are not set in Jinja as empty instead of failing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -l only-k8s -d 'Leave out blocks that Mage itself would not run in Kubernetes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l skip-type -d 'Leave out blocks of this type; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l parallel -d 'How many blocks run at once' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l retries -d 'How often a block whose Job failed gets a new one' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l timeout -d 'End the run after this time; unfinished Jobs are deleted and named' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l pending-timeout -d 'How long a pod may wait to start; unfinished Jobs are then deleted and named' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l logs -d 'Whose logs are shown' -r -f -a "all\t'Every block\'s, as they come'
failed\t'Of failed blocks only, at the end'
none\t'Nobody\'s'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l on-interrupt -d 'What a signal does: leave running blocks running, delete them, or hand the run to a driver' -r -f -a "pause\t'Running blocks go on, no more are started'
cancel\t'Running blocks are deleted'
detach\t'A driver Job in the cluster goes on with the run'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l driver-image -d 'The driver\'s image, which holds this program; `packaging/driver` makes it' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -s o -l output -d 'Output format: text, or json for one event a line' -r -f -a "text\t''
json\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l report -d 'Write a report of the run to FILE when it ends, however it ends; may be repeated' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l logs-dir -d 'Keep the log of every attempt in DIR, as BLOCK.ATTEMPT.log' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l project -d 'Mage project: the folder that holds metadata.yaml' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l edition -d 'Whose merge rules: auto, oss or pro' -r -f -a "auto\t'What the server pod runs, else the user\'s config file, else pro'
oss\t'What a Mage OSS server really does, losses included'
pro\t'What Mage documents: a deep merge of every layer'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l template -d 'The full template; default: `K8S_CONFIG_FILE` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l policy -d 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l server-env -d 'A variable of the Mage server\'s environment; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l server-env-file -d 'A dotenv file with the Mage server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l server-pod -d 'The Mage server\'s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l snapshot -d 'A file made by `kubectl mage snapshot`, which stands for the cluster' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l var -d 'A runtime variable: a JSON value or text; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l secret -d 'What a `*_secret_var` function should give; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l trigger -d 'The trigger\'s name, for `{trigger_name}`' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l block-run-id -d 'The id Mage\'s scheduler would give the block run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l pipeline-run-id -d 'The id Mage\'s scheduler would give the pipeline run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l execution-partition -d 'The partition blocks keep their output in' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l template-runtime-configuration -d 'What Mage passes to data integration blocks' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l repo-path -d 'The project\'s path in the pod' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l image -d 'Container image' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l upstream -d 'Also run every block that the ones named depend on'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l downstream -d 'Also run every block that depends on the ones named'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l staged -d 'Start the Jobs that `apply` left suspended, in order, instead of making new ones'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l keep-going -d 'After a failure, go on with everything that doesn\'t depend on it'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l fail-fast -d 'After a failure, start nothing new (the default)'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l detach -d 'Hand the run to a driver Job in the cluster, and return once that drives it'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l create-rbac -d 'Create the service account that the driver acts as, with the rights that it needs'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l dry-run -d 'Print what would happen and create nothing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l strict-policy -d 'Refuse where an enforced policy overrides what a project, a pipeline or a block sets'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -s y -l yes -d 'Do not ask, also in a protected context'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l offline -d 'Never open a connection'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l allow-unset -d 'Render names that are not set in Jinja as empty instead of failing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -l only-k8s -d 'Leave out blocks that Mage itself would not run in Kubernetes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l parallel -d 'How many blocks run at once' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l retries -d 'How often a block that fails from now on gets a new Job' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l timeout -d 'End the run after this time, counted from now; unfinished Jobs are deleted and named' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l pending-timeout -d 'How long a pod may wait to start; unfinished Jobs are then deleted and named' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l logs -d 'Whose logs are shown' -r -f -a "all\t'Every block\'s, as they come'
failed\t'Of failed blocks only, at the end'
none\t'Nobody\'s'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l on-interrupt -d 'What a signal does: leave running blocks running, delete them, or hand the run to a driver' -r -f -a "pause\t'Running blocks go on, no more are started'
cancel\t'Running blocks are deleted'
detach\t'A driver Job in the cluster goes on with the run'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l driver-image -d 'The driver\'s image, which holds this program; `packaging/driver` makes it' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -s o -l output -d 'Output format: text, or json for one event a line' -r -f -a "text\t''
json\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l report -d 'Write a report of the run to FILE when it ends, however it ends; may be repeated' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l logs-dir -d 'Keep the log of every attempt in DIR, as BLOCK.ATTEMPT.log' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l project -d 'Mage project: the folder that holds metadata.yaml' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l edition -d 'Whose merge rules: auto, oss or pro' -r -f -a "auto\t'What the server pod runs, else the user\'s config file, else pro'
oss\t'What a Mage OSS server really does, losses included'
pro\t'What Mage documents: a deep merge of every layer'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l template -d 'The full template; default: `K8S_CONFIG_FILE` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l policy -d 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l server-env -d 'A variable of the Mage server\'s environment; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l server-env-file -d 'A dotenv file with the Mage server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l server-pod -d 'The Mage server\'s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l snapshot -d 'A file made by `kubectl mage snapshot`, which stands for the cluster' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l var -d 'A runtime variable: a JSON value or text; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l secret -d 'What a `*_secret_var` function should give; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l trigger -d 'The trigger\'s name, for `{trigger_name}`' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l block-run-id -d 'The id Mage\'s scheduler would give the block run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l pipeline-run-id -d 'The id Mage\'s scheduler would give the pipeline run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l execution-partition -d 'The partition blocks keep their output in' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l template-runtime-configuration -d 'What Mage passes to data integration blocks' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l repo-path -d 'The project\'s path in the pod' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l image -d 'Container image' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l replan -d 'Show how the project\'s files differ from the recorded plan, and go on by them'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l keep-going -d 'After a failure, go on with everything that doesn\'t depend on it'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l fail-fast -d 'After a failure, start nothing new'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l detach -d 'Hand the run to a driver Job in the cluster, and return once that drives it'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l create-rbac -d 'Create the service account that the driver acts as, with the rights that it needs'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -s y -l yes -d 'Do not ask, also in a protected context'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l offline -d 'Never open a connection'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l allow-unset -d 'Render names that are not set in Jinja as empty instead of failing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -l only-k8s -d 'Leave out blocks that Mage itself would not run in Kubernetes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -l logs -d 'Whose logs are shown' -r -f -a "all\t'Every block\'s, as they come'
failed\t'Of failed blocks only, at the end'
none\t'Nobody\'s'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -s o -l output -d 'Output format: text, or json for one event a line' -r -f -a "text\t''
json\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand attach" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -s l -l selector -d 'Only Jobs with these labels, as KEY=VALUE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l since -d 'Only what was written after this long ago: 90s, 15m, 2h' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l since-time -d 'Only what was written after this time, as 2026-11-27T12:00:00Z' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l tail -d 'Only this many lines from the end of each log; -1 for all' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l grep -d 'Only lines, and tracebacks, in which this regular expression matches; of several, any' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l exclude -d 'No lines, and no tracebacks, in which this regular expression matches' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l level -d 'Only what is at least as grave; what has no level counts as info, a traceback as error' -r -f -a "debug\t''
info\t''
warning\t''
error\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -s c -l container -d 'The container; by default the one that runs the block, and init containers that fail' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l all-containers -d 'Every container: sidecars and init containers too' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l timestamps -d 'Put the time before each line; in UTC, or in a ZONE such as local or Europe/Berlin' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -s o -l output -d 'Output format: text for people, raw for the bytes of one container, json for one object a line' -r -f -a "text\t''
raw\t''
json\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l merge -d 'In which order the lines of several logs come' -r -f -a "time\t'By their time stamps, within three seconds; a pod that starts later may begin with older lines'
arrival\t'As they come'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l save -d 'Keep whole logs in this folder too, a file for each attempt of a block' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l max-streams -d 'How many logs are open at once; the others take turns' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -s p -l previous -d 'The run of the container before its last restart'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand tail" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -s l -l selector -d 'Only Jobs with these labels, as KEY=VALUE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l since -d 'Only what was written after this long ago: 90s, 15m, 2h' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l since-time -d 'Only what was written after this time, as 2026-11-27T12:00:00Z' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l tail -d 'Only this many lines from the end of each log; -1 for all' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l grep -d 'Only lines, and tracebacks, in which this regular expression matches; of several, any' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l exclude -d 'No lines, and no tracebacks, in which this regular expression matches' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l level -d 'Only what is at least as grave; what has no level counts as info, a traceback as error' -r -f -a "debug\t''
info\t''
warning\t''
error\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -s c -l container -d 'The container; by default the one that runs the block, and init containers that fail' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l all-containers -d 'Every container: sidecars and init containers too' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l timestamps -d 'Put the time before each line; in UTC, or in a ZONE such as local or Europe/Berlin' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -s o -l output -d 'Output format: text for people, raw for the bytes of one container, json for one object a line' -r -f -a "text\t''
raw\t''
json\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l merge -d 'In which order the lines of several logs come' -r -f -a "time\t'By their time stamps, within three seconds; a pod that starts later may begin with older lines'
arrival\t'As they come'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l save -d 'Keep whole logs in this folder too, a file for each attempt of a block' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l max-streams -d 'How many logs are open at once; the others take turns' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -s f -l follow -d 'Stay until the Jobs end, and end as they did'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -s p -l previous -d 'The run of the container before its last restart'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -s l -l selector -d 'Only runs whose Jobs carry these labels' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''
name\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -s A -l all-namespaces -d 'All namespaces'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -s w -l watch -d 'Stay and print each run again when it changes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -l no-headers -d 'Leave out the table\'s header'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand runs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''
name\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -s w -l watch -d 'Stay and print each block again when it changes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -l no-headers -d 'Leave out the table\'s header'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -s o -l output -d 'Output format' -r -f -a "json\t''
yaml\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand why" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -s y -l yes -d 'Do not ask, also in a protected context'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand cancel" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -l dry-run -d 'List what would be deleted, and delete nothing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -s y -l yes -d 'Do not ask, also in a protected context'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -l older-than -d 'Only runs that ended longer ago than this, such as 12h or 7d' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -s A -l all-namespaces -d 'All namespaces'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -l dry-run -d 'List what would be deleted, and delete nothing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -s y -l yes -d 'Do not ask, also in a protected context'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -s o -l output -d 'Output format' -r -f -a "json\t''
yaml\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l project -d 'Mage project: the folder that holds metadata.yaml' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l edition -d 'Whose merge rules: auto, oss or pro' -r -f -a "auto\t'What the server pod runs, else the user\'s config file, else pro'
oss\t'What a Mage OSS server really does, losses included'
pro\t'What Mage documents: a deep merge of every layer'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l template -d 'The full template; default: `K8S_CONFIG_FILE` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l policy -d 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l server-env -d 'A variable of the Mage server\'s environment; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l server-env-file -d 'A dotenv file with the Mage server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l server-pod -d 'The Mage server\'s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l snapshot -d 'A file made by `kubectl mage snapshot`, which stands for the cluster' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l var -d 'A runtime variable: a JSON value or text; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l secret -d 'What a `*_secret_var` function should give; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l trigger -d 'The trigger\'s name, for `{trigger_name}`' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l block-run-id -d 'The id Mage\'s scheduler would give the block run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l pipeline-run-id -d 'The id Mage\'s scheduler would give the pipeline run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l execution-partition -d 'The partition blocks keep their output in' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l template-runtime-configuration -d 'What Mage passes to data integration blocks' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l repo-path -d 'The project\'s path in the pod' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l image -d 'Container image' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l offline -d 'Never open a connection'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l allow-unset -d 'Render names that are not set in Jinja as empty instead of failing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -l only-k8s -d 'Leave out blocks that Mage itself would not run in Kubernetes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand snapshot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l for -d 'A command whose rights matter, `run` or `"run --detach"`; may be repeated. All commands where none is named; only those that change nothing with `KUBECTL_MAGE_READONLY`' -r -f -a "render\t''
render --validate\t''
explain-config\t''
explain-config --all\t''
lint\t''
lint --live\t''
snapshot\t''
doctor\t''
run\t''
run --detach\t''
run --detach --create-rbac\t''
run --staged\t''
diff\t''
apply\t''
apply --replace\t''
apply --wait\t''
resume\t''
attach\t''
tail\t''
logs\t''
runs\t''
status\t''
why\t''
cancel\t''
delete\t''
prune\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -s o -l output -d 'Output format; `role` writes the missing Role and its binding alone' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''
role\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l project -d 'Mage project: the folder that holds metadata.yaml' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l edition -d 'Whose merge rules: auto, oss or pro' -r -f -a "auto\t'What the server pod runs, else the user\'s config file, else pro'
oss\t'What a Mage OSS server really does, losses included'
pro\t'What Mage documents: a deep merge of every layer'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l template -d 'The full template; default: `K8S_CONFIG_FILE` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l policy -d 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l server-env -d 'A variable of the Mage server\'s environment; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l server-env-file -d 'A dotenv file with the Mage server\'s environment' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l server-pod -d 'The Mage server\'s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l snapshot -d 'A file made by `kubectl mage snapshot`, which stands for the cluster' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l var -d 'A runtime variable: a JSON value or text; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l secret -d 'What a `*_secret_var` function should give; may be repeated' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l trigger -d 'The trigger\'s name, for `{trigger_name}`' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l block-run-id -d 'The id Mage\'s scheduler would give the block run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l pipeline-run-id -d 'The id Mage\'s scheduler would give the pipeline run' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l execution-partition -d 'The partition blocks keep their output in' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l template-runtime-configuration -d 'What Mage passes to data integration blocks' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l repo-path -d 'The project\'s path in the pod' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l image -d 'Container image' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l kubeconfig -d 'Path to the kubeconfig file to use' -r -F
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l context -d 'The name of the kubeconfig context to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l cluster -d 'The name of the kubeconfig cluster to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l user -d 'The name of the kubeconfig user to use' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -s n -l namespace -d 'The namespace of the Jobs' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l as -d 'Username to impersonate; a user or a service account' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l as-group -d 'Group to impersonate; may be given several times' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -s s -l server -d 'The address and port of the API server' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate; this makes the connection insecure' -r -f -a "true\t''
false\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l request-timeout -d 'How long to wait for one answer of the API server, as 1s, 2m, 3h; 0 for the default of 30s. It never cuts a log stream' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l optional -d 'Put rights into the Role, too, that commands can do without (those to Secrets apart)'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l no-headers -d 'Leave out the tables\' headers'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l offline -d 'Never open a connection'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l allow-unset -d 'Render names that are not set in Jinja as empty instead of failing'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -l only-k8s -d 'Leave out blocks that Mage itself would not run in Kubernetes'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand completion" -l install -d 'With `kubectl`: put the helper into this folder, or beside kubectl-mage on the PATH' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand completion" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand completion" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand completion" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand completion" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand version" -s o -l output -d 'Output format' -r -f -a "json\t''
yaml\t''"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand version" -s v -d 'Say more: what was read and decided; from `-v=6` on each request to the API server, too' -r
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand version" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand version" -s q -l quiet -d 'Say less: only results and errors'
complete -c kubectl-mage -n "__fish_kubectl_mage_using_subcommand version" -s h -l help -d 'Print help (see more with \'--help\')'
