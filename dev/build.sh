# shellcheck shell=bash
# What the demonstration, the tests and the benchmarks build first. Sourced, with the checkout as working directory.
# Everything is kept: tools in the cache directory under a hash of what they are made from, the rest where its own
# build tool keeps it.

# shellcheck source=dev/tools/lib.sh
. dev/tools/lib.sh

began=$SECONDS
step() { printf '[%4d s] %s\n' $((SECONDS - began)) "$*" >&2; }

need_rust() {
  if ! command -v cargo >/dev/null; then
    printf 'Rust is missing. Install it from https://rustup.rs, open a new shell, and start again.\n' >&2
    exit 1
  fi
  local version
  version=$(rustc --version | cut -d' ' -f2)
  if [ "$(printf '1.95.0\n%s\n' "$version" | sort -V | head -n 1)" != 1.95.0 ]; then
    printf 'Rust %s is older than 1.95. Run: rustup update stable\n' "$version" >&2
    exit 1
  fi
  # Rust links by it, and some libraries are written in C.
  command -v cc >/dev/null || dev/tools/install apt gcc libc6-dev
}

build_cluster() {
  step "Kubernetes: building the local cluster's programs (cached after the first time)"
  dev/cluster/cluster build
}

build_mailpit() {
  step "mail inbox"
  dev/tools/install mailpit >/dev/null
}

# Puts Node and npm on PATH.
use_node() {
  local node
  node=$(dev/tools/install node)
  PATH=$(dirname "$node"):$PATH
  export PATH
}

# A hash of the files that a folder's build depends on, so that it is built again only when they change.
fingerprint() { git ls-files -co --exclude-standard -z "$@" | sort -z | xargs -0 sha256sum 2>/dev/null | sha256sum | cut -c 1-16; }

build_web() {
  local wanted
  wanted=$(fingerprint web/src web/reference web/index.html web/docs.html web/package-lock.json web/vite.config.ts web/openapi.json web/public)
  if [ "$(cat web/dist/.built-from 2>/dev/null)" = "$wanted" ]; then return; fi
  step "web interface"
  use_node
  install_web
  (cd web && npm run --silent build)
  printf '%s\n' "$wanted" >web/dist/.built-from
}

install_web() {
  if [ ! -e web/node_modules/.installed ] || [ web/package-lock.json -nt web/node_modules/.installed ]; then
    step "web packages"
    (cd web && npm ci --no-audit --no-fund --loglevel=error)
    touch web/node_modules/.installed
  fi
}

build_programs() {
  step "programs"
  local arguments=()
  for package in "$@"; do arguments+=(-p "$package"); done
  cargo build --locked --quiet "${arguments[@]}"
}
