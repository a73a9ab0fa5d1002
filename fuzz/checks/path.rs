//! Paths: what is printed is read again as the same path, and every spelling gives paths.

use kubectl_mage::config::{JobPath, camel_to_snake, job_paths, nearest};

pub(crate) fn path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let snake = camel_to_snake(text);
    let _ = nearest(text, ["resource_limits", &snake]);
    for path in job_paths(text) {
        same_again(&path);
    }
    let Some(path) = JobPath::parse(text) else { return };
    same_again(&path);
    for length in 0..=path.0.len() {
        assert!(path.starts_with(&JobPath(path.0[..length].to_vec())));
    }
    // Any text at all may be a key.
    same_again(&path.key(text));
    same_again(&JobPath::default().key(text).index(3));
}

fn same_again(path: &JobPath) {
    let text = path.to_string();
    assert_eq!(JobPath::parse(&text).as_ref(), Some(path), "{text}");
}
