# shellcheck shell=bash
# shellcheck disable=SC2154 # cluster, one, two, three, scratch, here: framework.sh
# Starting, asking, loading, refusing.

lifecycle_tests() {
  expect "up of a running cluster answers the same, at once" up_again_is_the_same
  expect "up refuses another port for a running cluster" refuses "runs already" "$cluster" up --name "$one" --ingress-port 1
  expect "up refuses a port that is taken" refuses "is taken" "$cluster" up --name "$three" --ingress-port "$(port_of "$one")"
  expect "up takes the port it is given" takes_given_port
  expect "two clusters have their own networks, ports and links" clusters_are_separate
  expect "env and kubeconfig tell what up printed" tells_environment
  expect "status tells what runs and what does not" tells_status
  expect "exec runs inside" runs_inside
  expect "load imports an image archive" loads_image
  expect "a command for a cluster that does not run says so" refuses "is not running" "$cluster" env --name "$three"
  expect "a bad name is refused" refuses "a name is" "$cluster" up --name "../etc"
  expect "check finds nothing wrong here" "$cluster" check
  expect "check says within 2 s that root is missing" says_root_is_missing
  expect "check names missing packages and what mends it" says_packages_are_missing
}

port_of() { value INGRESS_ADDRESS "$1" | sed 's/.*://'; }

up_again_is_the_same() {
  local begun=$EPOCHREALTIME
  "$cluster" up --name "$one" >"$scratch/again" &&
    diff "$scratch/$one.env" "$scratch/again" &&
    [ "$(since "$begun" | cut -d . -f 1)" -lt 2 ]
}

takes_given_port() {
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$cluster" up --name "$three" --ingress-port "$port" >"$scratch/$three.env" &&
    [ "$(value INGRESS_ADDRESS "$three")" = "127.0.0.1:$port" ] &&
    answers 404 nobody.example.org "$three" &&
    "$cluster" down --name "$three"
}

clusters_are_separate() {
  local name key
  for key in KUBECONFIG INGRESS_ADDRESS; do
    not [ "$(value "$key" "$one")" = "$(value "$key" "$two")" ] || return 1
  done
  for name in "$one" "$two"; do
    # A namespace made in one is seen there only.
    "$(value KUBECTL "$name")" --kubeconfig "$(value KUBECONFIG "$name")" create namespace "only-$name" || return 1
    answers 404 nobody.example.org "$name" || return 1
  done
  not kubectl get namespace "only-$two" &&
    [ "$(ip -brief address show | grep -c '^tny-.* 10\.77\.')" -ge 2 ]
}

tells_environment() {
  diff "$scratch/$one.env" <("$cluster" env --name "$one") &&
    [ "$("$cluster" kubeconfig --name "$one")" = "$(value KUBECONFIG "$one")" ]
}

tells_status() {
  "$cluster" status --name "$one" && not "$cluster" status --name "$three"
}

runs_inside() {
  "$cluster" exec --name "$one" -- ip -brief address show eth0 | tee /dev/stderr | grep -q '10\.77\.[0-9]*\.2/24' &&
    [ "$("$cluster" exec --name "$one" -- cat /proc/1/comm)" = node ]
}

loads_image() {
  local product node
  product=$("$here/../tools/install" sample-product) && node=$("$here/../tools/install" cluster-node) &&
    "$node" image --output "$scratch/loaded.tar" --reference localhost/loaded:7 --entrypoint /collection,serve "$product=/collection" &&
    "$cluster" load --name "$one" "$scratch/loaded.tar" &&
    kubectl run loaded --image localhost/loaded:7 --image-pull-policy Never &&
    kubectl wait --for condition=Ready --timeout 20s pod/loaded &&
    kubectl delete pod loaded --now
}

as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/nonexistent "$@"; }

# The checkout may lie where only root can read, so the scripts are copied.
says_root_is_missing() {
  local begun=$EPOCHREALTIME copy
  copy=$(mktemp -d /tmp/cluster-check.XXXXXX) && mkdir "$copy/cluster" "$copy/tools" &&
    cp "$here/cluster" "$here"/*.sh "$copy/cluster" && cp "$here/../tools/lib.sh" "$copy/tools" && chmod -R a+rX "$copy" &&
    refuses "needs root" as_nobody "$copy/cluster/cluster" check
  local status=$?
  rm -rf "$copy"
  [ "$status" -eq 0 ] && [ "$(since "$begun" | cut -d . -f 1)" -lt 2 ]
}

says_packages_are_missing() {
  local program
  mkdir -p "$scratch/path" || return 1
  for program in bash env dirname uname id sed grep stat unshare true modprobe sha256sum cut; do
    ! type -P "$program" || ln -sf "$(type -P "$program")" "$scratch/path/$program" || return 1
  done
  refuses "dev/tools/install apt containerd runc" env PATH="$scratch/path" "$cluster" check
}
