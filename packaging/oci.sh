# Writes OCI archives without a container tool; sourced, never run. Wants a folder $work with the
# image's root file system in $work/root.
# shellcheck shell=bash disable=SC2154 # the caller sets $work

archive() { # archive FOLDER FILE: the same bytes from the same content
  tar -C "$1" -cf "$2" --format=gnu --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner .
}
digest() { sha256sum "$1" | cut -d' ' -f1; }
architecture() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) uname -m ;;
  esac
}

# image NAME FILE CONFIG-MEMBERS-AS-JSON: from the root file system $work/root
image() {
  local oci=$work/oci blobs layer config manifest
  blobs=$oci/blobs/sha256
  rm -rf "$oci"
  mkdir -p "$blobs"
  archive "$work/root" "$work/layer"
  layer=$(digest "$work/layer")
  mv "$work/layer" "$blobs/$layer"
  printf '{"architecture":"%s","os":"linux","created":"1970-01-01T00:00:00Z","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"WorkingDir":"/",%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(architecture)" "$3" "$layer" >"$work/config"
  config=$(digest "$work/config")
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%d},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%d}]}' \
    "$config" "$(stat -c %s "$work/config")" "$layer" "$(stat -c %s "$blobs/$layer")" >"$work/manifest"
  mv "$work/config" "$blobs/$config"
  manifest=$(digest "$work/manifest")
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%d,"annotations":{"io.containerd.image.name":"%s","org.opencontainers.image.ref.name":"%s"}}]}' \
    "$manifest" "$(stat -c %s "$work/manifest")" "$1" "${1##*:}" >"$oci/index.json"
  mv "$work/manifest" "$blobs/$manifest"
  printf '{"imageLayoutVersion":"1.0.0"}' >"$oci/oci-layout"
  archive "$oci" "$2"
}
