# shellcheck shell=bash
# Shared by the development scripts: where built tools are kept, and how a tool
# is made once for its inputs. Source it; it sets nothing but names.

# Everything that is built or downloaded for development lives here.
cache_directory() {
  printf '%s\n' "${TENANTRY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tenantry}"
}

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# version_at_least FOUND WANTED
version_at_least() {
  [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

# hash_of PATH... -- [WORD]...: a short hash over the names and contents of all
# files under the paths, and over the words.
hash_of() {
  local paths=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do paths+=("$1"); shift; done
  [ $# -eq 0 ] || shift
  {
    local path
    for path in "${paths[@]}"; do
      (cd "$path" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
    done
    printf '%s\n' "$@"
  } | sha256sum | cut -c 1-12
}

# prune_tools PARENT: removes what has been made of a tool, NAME-HASH, and not
# been used for two weeks, but for the newest of each NAME. What a cluster runs
# from stays.
prune_tools() {
  local directory name newest='' used running
  running=$(sed -n 's/^kube=//p' /dev/null "$(cache_directory)"/cluster/*/facts 2>/dev/null || true)
  # Newest first, so that the first of each name is kept.
  while read -r used directory; do
    name=${directory##*/}
    name=${name%-*}
    case "|$newest" in *"|$name|"*) ;; *) newest+="$name|"; continue ;; esac
    if [ "${used%.*}" -lt $(($(date +%s) - 14 * 24 * 3600)) ] && [[ $running != *"$directory/"* ]]; then
      # Somebody else may be removing it, too.
      { chmod -R u+w "$directory" && rm -rf "$directory"; } 2>/dev/null || true
    fi
  done < <(find "$1" -mindepth 1 -maxdepth 1 -type d -name '[!.]*-*' -printf '%T@ %p\n' | LC_ALL=C sort -rn)
}

# make_once DIRECTORY COMMAND...: runs COMMAND with a fresh folder as its last
# argument and moves that to DIRECTORY once it has succeeded, then removes what
# has become old beside it. Only notes that DIRECTORY is used when it exists; two
# callers at once make it once. Not for use in a condition: bash would ignore
# errors inside COMMAND there.
make_once() {
  local directory=$1 parent scratch lock status
  shift
  if [ -d "$directory" ]; then
    touch -c "$directory" 2>/dev/null || true
    return 0
  fi
  parent=$(dirname "$directory")
  mkdir -p "$parent"
  exec {lock}>"$parent/.${directory##*/}.lock"
  flock "$lock"
  status=0
  if [ ! -d "$directory" ]; then
    scratch=$(mktemp -d "$parent/.making.XXXXXX")
    chmod 755 "$scratch"
    set +e
    (
      set -e
      exec {lock}>&-
      "$@" "$scratch"
    )
    status=$?
    set -e
    if [ "$status" -eq 0 ]; then
      touch "$scratch"
      mv -T "$scratch" "$directory"
      prune_tools "$parent"
    else
      chmod -R u+w "$scratch"
      rm -rf "$scratch"
    fi
  fi
  rm -f "$parent/.${directory##*/}.lock"
  exec {lock}>&-
  return "$status"
}

# build_go DIRECTORY MODULE PACKAGE NAME [LDFLAGS]: builds one static program of
# a module into DIRECTORY. go.sum has the checksum of every module, and nothing
# in the environment may switch their verification off.
build_go() {
  local directory=$1 module=$2 package=$3 name=$4 ldflags=${5:-} go
  go=$("$(dirname "${BASH_SOURCE[0]}")/install" go)
  (
    cd "$module"
    unset GONOSUMDB GONOSUMCHECK GOINSECURE GOPRIVATE GONOPROXY
    [ "${GOSUMDB:-}" != off ] || unset GOSUMDB
    GOFLAGS='' GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0 "$go" build -mod=readonly -trimpath \
      -buildvcs=false -ldflags "-s -w $ldflags" -o "$directory/$name" "$package"
  )
}
