//! `krew-manifest.yaml` against the rules by which krew takes a plugin (its `ValidatePlugin` and
//! `validate-krew-manifest`), and against a built archive.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Manifest {
    api_version: String,
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    version: String,
    homepage: String,
    short_description: String,
    description: String,
    caveats: String,
    platforms: Vec<Platform>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Platform {
    selector: Selector,
    uri: String,
    sha256: String,
    bin: String,
    files: Vec<FileOperation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Selector {
    match_labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOperation {
    from: String,
    to: String,
}

impl Platform {
    fn name(&self) -> (&str, &str) {
        let labels = &self.selector.match_labels;
        assert_eq!(labels.keys().collect::<Vec<_>>(), ["arch", "os"], "krew knows only these");
        (&labels["os"], &labels["arch"])
    }
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> Manifest {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn the_manifest_obeys_krews_rules() {
    let Manifest { api_version, kind, metadata, spec } =
        read(&package().join("krew-manifest.yaml"));
    assert_eq!(api_version, "krew.googlecontainertools.github.com/v1alpha2");
    assert_eq!(kind, "Plugin");
    assert_eq!(metadata.name, "mage");
    assert_eq!(spec.version, concat!("v", env!("CARGO_PKG_VERSION")));
    assert!(spec.homepage.starts_with("https://"));
    assert!(spec.short_description.len() <= 50 && !spec.short_description.contains('\n'));
    for text in [&spec.description, &spec.caveats] {
        assert!(text.lines().all(|line| line.len() <= 80), "krew warns of lines over 80: {text}");
    }

    // krew's link is on the PATH, and without DIR the helper lands beside it.
    let lines: Vec<&str> = spec.caveats.lines().map(str::trim).collect();
    assert!(lines.contains(&"kubectl mage completion kubectl --install"), "{lines:?}");

    let mut platforms = BTreeSet::new();
    for platform in &spec.platforms {
        let (os, arch) = platform.name();
        assert!(platforms.insert((os, arch)), "{os}/{arch} twice");
        let (program, archive) = match os {
            "windows" => ("kubectl-mage.exe", "zip"),
            _ => ("kubectl-mage", "tar.gz"),
        };
        let name = format!("kubectl-mage_{}_{os}_{arch}.{archive}", spec.version);
        assert!(
            platform.uri.ends_with(&format!("/{}/{name}", spec.version)),
            "{os}/{arch}: {}",
            platform.uri
        );
        let is_hex = |c| matches!(c, b'0'..=b'9' | b'a'..=b'f');
        assert!(platform.sha256.len() == 64 && platform.sha256.bytes().all(is_hex));
        assert_eq!(platform.bin, program);
        let files: Vec<_> = platform.files.iter().map(|file| &*file.from).collect();
        assert_eq!(
            files,
            [program, "LICENSE", "LICENSES-THIRD-PARTY.html"],
            "krew asks for the licence in every archive"
        );
        assert!(platform.files.iter().all(|file| file.to == "."));
    }
    let expected = ["darwin amd64", "darwin arm64", "linux amd64", "linux arm64", "windows amd64"];
    let platforms = platforms.iter().map(|(os, arch)| format!("{os} {arch}"));
    assert_eq!(platforms.collect::<Vec<_>>(), expected);
}

/// Installs this machine's archive as krew does. `packaging/release` builds it and names its folder.
#[test]
fn the_archive_installs() {
    let Some(dist) = env::var_os("KUBECTL_MAGE_DIST") else { return };
    let dist = package().join(dist);
    let spec = read(&dist.join("krew-manifest.yaml")).spec;
    let os = if cfg!(target_os = "macos") { "darwin" } else { env::consts::OS };
    let arch = match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let platform = spec.platforms.iter().find(|p| p.name() == (os, arch)).unwrap();

    let archive = dist.join(platform.uri.rsplit('/').next().unwrap());
    let sum = Sha256::digest(fs::read(&archive).unwrap());
    let sum = sum.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(platform.sha256, sum, "{}", archive.display());

    let unpacked = tempfile::tempdir().unwrap();
    let tar = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(unpacked.path()).status();
    assert!(tar.unwrap().success(), "{}", archive.display());
    let installed = tempfile::tempdir().unwrap();
    for FileOperation { from, to } in &platform.files {
        let target = installed.path().join(inside(to)).join(Path::new(from).file_name().unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::rename(unpacked.path().join(inside(from)), target).unwrap();
    }

    let output = Command::new(installed.path().join(inside(&platform.bin)))
        .arg("version")
        .env_clear()
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains(env!("CARGO_PKG_VERSION")), "{output:?}");
}

/// The path, which must not lead out of a folder.
fn inside(path: &str) -> PathBuf {
    let path = PathBuf::from(path);
    let leads_out = |part: Component<'_>| !matches!(part, Component::Normal(_) | Component::CurDir);
    assert!(!path.components().any(leads_out), "{}", path.display());
    path
}
