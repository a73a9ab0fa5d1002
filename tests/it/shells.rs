//! The completion scripts in the genuine shells, which type TAB. A shell that is not installed is
//! skipped, and that is said.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use kubectl_mage::cli::CompletionShell;
use kubectl_mage::cli::completion::script;

use crate::support::{TempProject, small_project};

/// What is typed after `kubectl-mage`, with `→` for TAB, and the words that the command gets.
const TYPED: &[(&str, &str)] = &[
    ("gr→e→", "<graph><etl>"),
    ("run etl/ex→", "<run><etl/export>"),
    ("run --logs=f→", "<run><--logs=failed>"),
    ("run --on-interrupt det→x", "<run><--on-interrupt><detach><x>"),
    ("apply --dry-run etl/ex→", "<apply><--dry-run><etl/export>"),
    ("apply --dry-run=c→", "<apply><--dry-run=client>"),
    (r"doctor --for run\ --s→", "<doctor><--for><run --staged>"),
    ("runs --context=pr→", "<runs><--context=prod>"),
    ("runs --context→ pr→", "<runs><--context><prod>"),
    (
        "runs --kubeconfig=\"$CONFIG\" --context pr→",
        "<runs><--kubeconfig=DIR/config><--context><prod>",
    ),
    ("diff --against rev→HE→", "<diff><--against><rev:HEAD>"),
    ("diff --against=rev:HE→", "<diff><--against=rev:HEAD>"),
    ("diff --against snap→meta→", "<diff><--against><snapshot:metadata.yaml>"),
    ("lint -o sarif=meta→", "<lint><-o><sarif=metadata.yaml>"),
    ("lint --output=sarif=meta→", "<lint><--output=sarif=metadata.yaml>"),
    ("lint --policy meta→x", "<lint><--policy><metadata.yaml><x>"),
    ("lint --policy=meta→x", "<lint><--policy=metadata.yaml><x>"),
    ("run --project ~/other re→", "<run><--project><DIR/other><reports>"),
    // Nothing is known of images, and files are none.
    ("run --image meta→x", "<run><--image><metax>"),
    // What a word would run is not run to complete another.
    ("run --image $(echo>>ran) et→", "<run><--image><etl>"),
];

/// A shell in the project, with this program and nobody's settings.
struct Shell {
    project: TempProject,
}

impl Shell {
    fn new() -> Self {
        let project = small_project();
        let other = "pipelines/reports/metadata.yaml";
        project.write("other/metadata.yaml", "");
        project.write(&format!("other/{other}"), "uuid: reports\ntype: python\nblocks: []\n");
        project.write("config", "contexts: [{name: prod, context: {cluster: c, user: u}}]\n");
        let git = Command::new("git").args(["init", "-q", project.path()]).status();
        assert!(git.expect("git is installed").success());
        Self { project }
    }

    /// Makes a command of a shell; none where it is not installed.
    #[expect(clippy::print_stderr, reason = "says what is skipped")]
    fn command(&self, shell: &str) -> Option<Command> {
        let paths = env::var_os("PATH").unwrap_or_default();
        let Some(shell) =
            env::split_paths(&paths).map(|path| path.join(shell)).find(|it| it.is_file())
        else {
            eprintln!("skipped: {shell} is not installed");
            return None;
        };
        let program = Path::new(env!("CARGO_BIN_EXE_kubectl-mage")).parent().expect("a folder");
        let path = env::join_paths([program, "/usr/bin".as_ref(), "/bin".as_ref()]);
        let folder = self.project.path();
        let mut command = Command::new(shell);
        command.current_dir(folder).env_clear().env("PATH", path.expect("no colon"));
        command.env("HOME", folder).env("CONFIG", format!("{folder}/config"));
        command.env("KUBECONFIG", format!("{folder}/config"));
        command.env("TERM", "dumb").env("LC_ALL", "C.UTF-8").env("INPUTRC", "/dev/null");
        Some(command)
    }

    fn write_script(&self, name: &str, shell: CompletionShell) -> String {
        self.project.write(name, &script(shell));
        format!("{}/{name}", self.project.path())
    }

    /// Compares the lines that a shell came to with those that it should.
    fn compare(&self, said: &[u8]) {
        let folder = fs::canonicalize(self.project.path()).expect("a folder");
        let said = String::from_utf8_lossy(said).replace(folder.to_str().expect("UTF-8"), "DIR");
        let said = said.replace(self.project.path(), "DIR");
        let mut lines = said.lines().filter(|line| line.starts_with('<'));
        for (typed, expected) in TYPED {
            assert_eq!(lines.next(), Some(*expected), "{typed}");
        }
        let ran = Path::new(self.project.path()).join("ran");
        // The command itself runs it, once, at the end.
        assert_eq!(fs::read_to_string(ran).expect("the last line runs it"), "\n");
    }
}

fn keys(typed: &str) -> String {
    typed.replace('→', "\t")
}

#[test]
fn bash_completes_what_is_typed() {
    let shell = Shell::new();
    let Some(mut bash) = shell.command("bash") else { return };
    let script = shell.write_script("script", CompletionShell::Bash);
    // readline reads keys from a pipe as from a terminal.
    let mut input = format!(
        "source {script}\nshow() {{ printf '<%s>' \"$@\"; echo; }}\n\
         complete -o default -F _kubectl_mage show\n"
    );
    for (typed, _) in TYPED {
        input.extend(["show ", &keys(typed), "\n"]);
    }
    let keys = Path::new(shell.project.path()).join("keys");
    fs::write(&keys, input).expect("a file");
    let output = bash.args(["--norc", "-i"]).stdin(fs::File::open(keys).expect("it is there"));
    shell.compare(&output.output().expect("bash starts").stdout);
}

/// A list has descriptions in bash; what is put into the line has none.
#[test]
fn bash_describes_what_it_lists() {
    let shell = Shell::new();
    let Some(mut bash) = shell.command("bash") else { return };
    let script = shell.write_script("script", CompletionShell::Bash);
    let ask =
        "source \"$1\"; COLUMNS=80; COMP_WORDS=(kubectl-mage apply --dry-run = ''); COMP_CWORD=4
        COMP_LINE='kubectl-mage apply --dry-run='; COMP_POINT=${#COMP_LINE}
        for COMP_TYPE in 9 63; do
            _kubectl_mage kubectl-mage '' =
            printf '%s\\n' \"${COMPREPLY[@]}\"
        done";
    let output = bash.args(["--norc", "-c", ask, "bash", &script]).output().expect("bash starts");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "none\nclient\nserver\n\
         none    (It is done)\nclient  (Nothing is sent)\nserver  (Everything is sent, and nothing stored)\n"
    );
}

#[test]
fn zsh_completes_what_is_typed() {
    let shell = Shell::new();
    let Some(mut zsh) = shell.command("zsh") else { return };
    let script = shell.write_script("functions/_kubectl-mage", CompletionShell::Zsh);
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/shells.zsh");
    zsh.arg("-f").arg(driver).arg(script);
    zsh.args(TYPED.iter().map(|(typed, _)| keys(typed))).stdin(Stdio::null());
    shell.compare(&zsh.output().expect("zsh starts").stdout);
}

/// fish says itself what it would offer for a line.
#[test]
fn fish_offers_what_fits() {
    let shell = Shell::new();
    let script = shell.write_script("script", CompletionShell::Fish);
    for (line, expected) in [
        ("gr", "graph\tShow the graph of a pipeline's blocks\n"),
        ("graph ", "etl\n"),
        ("run etl/ex", "etl/export\n"),
        ("run --logs=f", "--logs=failed\tOf failed blocks only, at the end\n"),
        ("apply --dry-run=c", "--dry-run=client\tNothing is sent\n"),
        ("doctor --for \"run --s", "run --staged\tchanges a cluster\n"),
        ("runs --context ", "prod\n"),
        ("diff --against=rev:H", "--against=rev:HEAD\n"),
        ("lint --output=sarif=meta", "--output=sarif=metadata.yaml\n"),
        ("lint --policy=meta", "--policy=metadata.yaml\n"),
        ("run --project ~/other re", "reports\n"),
        ("run --image ", ""),
    ] {
        let Some(mut fish) = shell.command("fish") else { return };
        let ask = "source $argv[1]; complete --do-complete \"kubectl-mage $argv[2]\"";
        let output =
            fish.args(["--no-config", "-c", ask, &script, line]).output().expect("fish starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said, expected, "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
