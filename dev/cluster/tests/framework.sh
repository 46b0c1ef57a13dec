# shellcheck shell=bash
# shellcheck disable=SC2154 # scratch: expect.sh
# The clusters under test, and how they are asked.

cluster=${here:?set by the script that reads this}/cluster
one=test1
two=test2
three=test3

start_cluster() { "$cluster" up --name "$1" >"$scratch/$1.env"; }

# value NAME CLUSTER: one of the assignments that `up` printed.
# shellcheck source=/dev/null
value() { (. "$scratch/$2.env" && printf '%s\n' "${!1}"); }

kubectl() { "$(value KUBECTL "$one")" --kubeconfig "$(value KUBECONFIG "$one")" "$@"; }

helm() {
  HELM_CACHE_HOME=$scratch/helm HELM_CONFIG_HOME=$scratch/helm HELM_DATA_HOME=$scratch/helm \
    "$(value HELM "$one")" --kubeconfig "$(value KUBECONFIG "$one")" "$@"
}

# visit HOST PATH [CLUSTER]: through the ingress, on the machine's loopback.
visit() {
  curl --silent --show-error --fail --max-time 3 --header "Host: $1" "http://$(value INGRESS_ADDRESS "${3:-$one}")$2"
}

# answers STATUS HOST [CLUSTER]
answers() {
  local status
  status=$(curl --silent --max-time 3 --output /dev/null --write-out '%{http_code}' \
    --header "Host: $2" "http://$(value INGRESS_ADDRESS "${3:-$one}")/")
  printf 'answered %s\n' "$status"
  [ "$status" = "$1" ]
}

clean_up() {
  local name
  for name in "$one" "$two" "$three"; do "$cluster" down --name "$name" >/dev/null 2>&1 || true; done
  rm -rf "$scratch"
}
