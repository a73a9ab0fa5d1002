
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'kubectl-mage' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'kubectl-mage'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'kubectl-mage' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more; repeat or give a number for still more')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('render', 'render', [CompletionResultType]::ParameterValue, 'Print the Jobs of a pipeline or block, exactly as they would be sent')
            [CompletionResult]::new('explain-config', 'explain-config', [CompletionResultType]::ParameterValue, 'Tell which layer supplied each value of a Job')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Tell which layer supplied each value of a Job')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run a pipeline, or the blocks named, with progress and logs')
            [CompletionResult]::new('runs', 'runs', [CompletionResultType]::ParameterValue, 'List the runs in a namespace')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Write a completion script')
            [CompletionResult]::new('version', 'version', [CompletionResultType]::ParameterValue, 'Print the version')
            break
        }
        'kubectl-mage;render' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Mage project: the folder that holds metadata.yaml')
            [CompletionResult]::new('--edition', '--edition', [CompletionResultType]::ParameterName, 'Whose merge rules: auto, oss or pro')
            [CompletionResult]::new('--template', '--template', [CompletionResultType]::ParameterName, 'The full template; default: `K8S_CONFIG_FILE` of the server''s environment')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server''s environment')
            [CompletionResult]::new('--server-env', '--server-env', [CompletionResultType]::ParameterName, 'A variable of the Mage server''s environment; may be repeated')
            [CompletionResult]::new('--server-env-file', '--server-env-file', [CompletionResultType]::ParameterName, 'A dotenv file with the Mage server''s environment')
            [CompletionResult]::new('--server-pod', '--server-pod', [CompletionResultType]::ParameterName, 'The Mage server''s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A runtime variable: a JSON value or text; may be repeated')
            [CompletionResult]::new('--secret', '--secret', [CompletionResultType]::ParameterName, 'What a `*_secret_var` function should give; may be repeated')
            [CompletionResult]::new('--trigger', '--trigger', [CompletionResultType]::ParameterName, 'The trigger''s name, for `{trigger_name}`')
            [CompletionResult]::new('--block-run-id', '--block-run-id', [CompletionResultType]::ParameterName, 'The id Mage''s scheduler would give the block run')
            [CompletionResult]::new('--pipeline-run-id', '--pipeline-run-id', [CompletionResultType]::ParameterName, 'The id Mage''s scheduler would give the pipeline run')
            [CompletionResult]::new('--execution-partition', '--execution-partition', [CompletionResultType]::ParameterName, 'The partition blocks keep their output in')
            [CompletionResult]::new('--template-runtime-configuration', '--template-runtime-configuration', [CompletionResultType]::ParameterName, 'What Mage passes to data integration blocks')
            [CompletionResult]::new('--repo-path', '--repo-path', [CompletionResultType]::ParameterName, 'The project''s path in the pod')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Container image')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'ns')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'ns')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more; repeat or give a number for still more')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--mask', '--mask', [CompletionResultType]::ParameterName, 'Hide literal secrets')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Never open a connection')
            [CompletionResult]::new('--allow-unset', '--allow-unset', [CompletionResultType]::ParameterName, 'Render names that are not set in Jinja as empty instead of failing')
            [CompletionResult]::new('--only-k8s', '--only-k8s', [CompletionResultType]::ParameterName, 'Leave out blocks that Mage itself would not run in Kubernetes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kubectl-mage;explain-config' {
            [CompletionResult]::new('--why', '--why', [CompletionResultType]::ParameterName, 'Print one value''s whole history, lowest layer first')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format; wide adds the setting in Mage''s spelling')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format; wide adds the setting in Mage''s spelling')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Mage project: the folder that holds metadata.yaml')
            [CompletionResult]::new('--edition', '--edition', [CompletionResultType]::ParameterName, 'Whose merge rules: auto, oss or pro')
            [CompletionResult]::new('--template', '--template', [CompletionResultType]::ParameterName, 'The full template; default: `K8S_CONFIG_FILE` of the server''s environment')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server''s environment')
            [CompletionResult]::new('--server-env', '--server-env', [CompletionResultType]::ParameterName, 'A variable of the Mage server''s environment; may be repeated')
            [CompletionResult]::new('--server-env-file', '--server-env-file', [CompletionResultType]::ParameterName, 'A dotenv file with the Mage server''s environment')
            [CompletionResult]::new('--server-pod', '--server-pod', [CompletionResultType]::ParameterName, 'The Mage server''s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A runtime variable: a JSON value or text; may be repeated')
            [CompletionResult]::new('--secret', '--secret', [CompletionResultType]::ParameterName, 'What a `*_secret_var` function should give; may be repeated')
            [CompletionResult]::new('--trigger', '--trigger', [CompletionResultType]::ParameterName, 'The trigger''s name, for `{trigger_name}`')
            [CompletionResult]::new('--block-run-id', '--block-run-id', [CompletionResultType]::ParameterName, 'The id Mage''s scheduler would give the block run')
            [CompletionResult]::new('--pipeline-run-id', '--pipeline-run-id', [CompletionResultType]::ParameterName, 'The id Mage''s scheduler would give the pipeline run')
            [CompletionResult]::new('--execution-partition', '--execution-partition', [CompletionResultType]::ParameterName, 'The partition blocks keep their output in')
            [CompletionResult]::new('--template-runtime-configuration', '--template-runtime-configuration', [CompletionResultType]::ParameterName, 'What Mage passes to data integration blocks')
            [CompletionResult]::new('--repo-path', '--repo-path', [CompletionResultType]::ParameterName, 'The project''s path in the pod')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Container image')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'ns')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'ns')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more; repeat or give a number for still more')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Add what is built in')
            [CompletionResult]::new('--overridden', '--overridden', [CompletionResultType]::ParameterName, 'Add what lost, with its own source and the reason')
            [CompletionResult]::new('--layers', '--layers', [CompletionResultType]::ParameterName, 'List every layer in order, present or not, and where it was looked for')
            [CompletionResult]::new('--show-secrets', '--show-secrets', [CompletionResultType]::ParameterName, 'Show secrets')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the table''s header')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Never open a connection')
            [CompletionResult]::new('--allow-unset', '--allow-unset', [CompletionResultType]::ParameterName, 'Render names that are not set in Jinja as empty instead of failing')
            [CompletionResult]::new('--only-k8s', '--only-k8s', [CompletionResultType]::ParameterName, 'Leave out blocks that Mage itself would not run in Kubernetes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kubectl-mage;explain' {
            [CompletionResult]::new('--why', '--why', [CompletionResultType]::ParameterName, 'Print one value''s whole history, lowest layer first')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format; wide adds the setting in Mage''s spelling')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format; wide adds the setting in Mage''s spelling')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Mage project: the folder that holds metadata.yaml')
            [CompletionResult]::new('--edition', '--edition', [CompletionResultType]::ParameterName, 'Whose merge rules: auto, oss or pro')
            [CompletionResult]::new('--template', '--template', [CompletionResultType]::ParameterName, 'The full template; default: `K8S_CONFIG_FILE` of the server''s environment')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server''s environment')
            [CompletionResult]::new('--server-env', '--server-env', [CompletionResultType]::ParameterName, 'A variable of the Mage server''s environment; may be repeated')
            [CompletionResult]::new('--server-env-file', '--server-env-file', [CompletionResultType]::ParameterName, 'A dotenv file with the Mage server''s environment')
            [CompletionResult]::new('--server-pod', '--server-pod', [CompletionResultType]::ParameterName, 'The Mage server''s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A runtime variable: a JSON value or text; may be repeated')
            [CompletionResult]::new('--secret', '--secret', [CompletionResultType]::ParameterName, 'What a `*_secret_var` function should give; may be repeated')
            [CompletionResult]::new('--trigger', '--trigger', [CompletionResultType]::ParameterName, 'The trigger''s name, for `{trigger_name}`')
            [CompletionResult]::new('--block-run-id', '--block-run-id', [CompletionResultType]::ParameterName, 'The id Mage''s scheduler would give the block run')
            [CompletionResult]::new('--pipeline-run-id', '--pipeline-run-id', [CompletionResultType]::ParameterName, 'The id Mage''s scheduler would give the pipeline run')
            [CompletionResult]::new('--execution-partition', '--execution-partition', [CompletionResultType]::ParameterName, 'The partition blocks keep their output in')
            [CompletionResult]::new('--template-runtime-configuration', '--template-runtime-configuration', [CompletionResultType]::ParameterName, 'What Mage passes to data integration blocks')
            [CompletionResult]::new('--repo-path', '--repo-path', [CompletionResultType]::ParameterName, 'The project''s path in the pod')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Container image')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'ns')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'ns')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more; repeat or give a number for still more')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Add what is built in')
            [CompletionResult]::new('--overridden', '--overridden', [CompletionResultType]::ParameterName, 'Add what lost, with its own source and the reason')
            [CompletionResult]::new('--layers', '--layers', [CompletionResultType]::ParameterName, 'List every layer in order, present or not, and where it was looked for')
            [CompletionResult]::new('--show-secrets', '--show-secrets', [CompletionResultType]::ParameterName, 'Show secrets')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the table''s header')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Never open a connection')
            [CompletionResult]::new('--allow-unset', '--allow-unset', [CompletionResultType]::ParameterName, 'Render names that are not set in Jinja as empty instead of failing')
            [CompletionResult]::new('--only-k8s', '--only-k8s', [CompletionResultType]::ParameterName, 'Leave out blocks that Mage itself would not run in Kubernetes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kubectl-mage;run' {
            [CompletionResult]::new('--skip-type', '--skip-type', [CompletionResultType]::ParameterName, 'Leave out blocks of this type; may be repeated')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many blocks run at once')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End the run after this time; unfinished Jobs are deleted and named')
            [CompletionResult]::new('--pending-timeout', '--pending-timeout', [CompletionResultType]::ParameterName, 'How long a pod may wait to start; unfinished Jobs are then deleted and named')
            [CompletionResult]::new('--logs', '--logs', [CompletionResultType]::ParameterName, 'Whose logs are shown')
            [CompletionResult]::new('--on-interrupt', '--on-interrupt', [CompletionResultType]::ParameterName, 'What a signal does: leave running blocks running, or delete them')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format: text, or json for one event a line')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format: text, or json for one event a line')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Mage project: the folder that holds metadata.yaml')
            [CompletionResult]::new('--edition', '--edition', [CompletionResultType]::ParameterName, 'Whose merge rules: auto, oss or pro')
            [CompletionResult]::new('--template', '--template', [CompletionResultType]::ParameterName, 'The full template; default: `K8S_CONFIG_FILE` of the server''s environment')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'The policy file; default: `K8S_DEFAULT_CONFIG_PATH` of the server''s environment')
            [CompletionResult]::new('--server-env', '--server-env', [CompletionResultType]::ParameterName, 'A variable of the Mage server''s environment; may be repeated')
            [CompletionResult]::new('--server-env-file', '--server-env-file', [CompletionResultType]::ParameterName, 'A dotenv file with the Mage server''s environment')
            [CompletionResult]::new('--server-pod', '--server-pod', [CompletionResultType]::ParameterName, 'The Mage server''s pod to inherit from: auto, none, [NAMESPACE/]NAME or @FILE')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A runtime variable: a JSON value or text; may be repeated')
            [CompletionResult]::new('--secret', '--secret', [CompletionResultType]::ParameterName, 'What a `*_secret_var` function should give; may be repeated')
            [CompletionResult]::new('--trigger', '--trigger', [CompletionResultType]::ParameterName, 'The trigger''s name, for `{trigger_name}`')
            [CompletionResult]::new('--block-run-id', '--block-run-id', [CompletionResultType]::ParameterName, 'The id Mage''s scheduler would give the block run')
            [CompletionResult]::new('--pipeline-run-id', '--pipeline-run-id', [CompletionResultType]::ParameterName, 'The id Mage''s scheduler would give the pipeline run')
            [CompletionResult]::new('--execution-partition', '--execution-partition', [CompletionResultType]::ParameterName, 'The partition blocks keep their output in')
            [CompletionResult]::new('--template-runtime-configuration', '--template-runtime-configuration', [CompletionResultType]::ParameterName, 'What Mage passes to data integration blocks')
            [CompletionResult]::new('--repo-path', '--repo-path', [CompletionResultType]::ParameterName, 'The project''s path in the pod')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Container image')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'ns')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'ns')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more; repeat or give a number for still more')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--upstream', '--upstream', [CompletionResultType]::ParameterName, 'Also run every block that the ones named depend on')
            [CompletionResult]::new('--downstream', '--downstream', [CompletionResultType]::ParameterName, 'Also run every block that depends on the ones named')
            [CompletionResult]::new('--keep-going', '--keep-going', [CompletionResultType]::ParameterName, 'After a failure, go on with everything that doesn''t depend on it')
            [CompletionResult]::new('--fail-fast', '--fail-fast', [CompletionResultType]::ParameterName, 'After a failure, start nothing new (the default)')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Print what would happen and create nothing')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask, also in a protected context')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask, also in a protected context')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Never open a connection')
            [CompletionResult]::new('--allow-unset', '--allow-unset', [CompletionResultType]::ParameterName, 'Render names that are not set in Jinja as empty instead of failing')
            [CompletionResult]::new('--only-k8s', '--only-k8s', [CompletionResultType]::ParameterName, 'Leave out blocks that Mage itself would not run in Kubernetes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kubectl-mage;runs' {
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only runs whose Jobs carry these labels')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Only runs whose Jobs carry these labels')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'ns')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'ns')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more; repeat or give a number for still more')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'All namespaces')
            [CompletionResult]::new('--all-namespaces', '--all-namespaces', [CompletionResultType]::ParameterName, 'All namespaces')
            [CompletionResult]::new('--no-headers', '--no-headers', [CompletionResultType]::ParameterName, 'Leave out the table''s header')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kubectl-mage;completion' {
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more; repeat or give a number for still more')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kubectl-mage;version' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more; repeat or give a number for still more')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say less: only results and errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
