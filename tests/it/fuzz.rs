//! Every input with which fuzzing once found something, checked as the fuzz targets check it.

#[path = "../../fuzz/checks/mod.rs"]
mod checks;

use crate::support::fixture;

type Check = fn(&[u8]);

fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = fixture("fuzz").join(target);
    let mut inputs: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let input = std::fs::read(&path).expect("a file");
            (path.display().to_string(), input)
        })
        .collect();
    inputs.sort();
    inputs
}

#[test]
fn what_fuzzing_found_stays_repaired() {
    let targets: [(&str, Check); 4] = [
        ("jinja", checks::jinja),
        ("merge", checks::merge),
        ("path", checks::path),
        ("yaml", checks::yaml),
    ];
    let mut count = 0;
    for (target, check) in targets {
        for (name, input) in inputs(target) {
            let checked = std::panic::catch_unwind(|| check(&input));
            assert!(checked.is_ok(), "{name}");
            count += 1;
        }
    }
    assert!(count >= 8, "{count}");
}

/// The merge alone takes no text that a person can write down; so some inputs at random, always the
/// same ones.
#[test]
fn layers_made_of_random_bytes_merge() {
    let mut state = 1_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    for length in 1..400 {
        let input: Vec<u8> = (0..length).map(|_| byte()).collect();
        checks::merge(&input);
    }
}

/// What is fuzzed is what is shipped: `fuzz` has a lock file of its own.
#[test]
fn fuzz_locks_the_versions_that_the_program_locks() {
    let lock = |folder: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("Cargo.lock");
        std::fs::read_to_string(path).expect("a lock file")
    };
    let (ours, theirs) = (lock(""), lock("fuzz"));
    for package in ["indexmap", "libyaml-safer", "minijinja", "serde_json", "strsim"] {
        let version = |lock: &str| {
            let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = "))?;
            rest.lines().next().map(str::to_owned)
        };
        assert!(version(&ours).is_some());
        assert_eq!(version(&ours), version(&theirs), "copy Cargo.lock to fuzz/ and build there");
    }
}
