# shellcheck shell=bash
# shellcheck disable=SC2154 # cluster, one, two, three, scratch, here: framework.sh
# Nothing is left: after `down`, and after every way of being killed.

remains_tests() {
  expect "down of one cluster leaves the other one running" down_spares_others
  expect "a second down does nothing" "$cluster" down --name "$one"
  local moment
  for moment in 0 0.1 0.5 2 5; do
    expect "up killed after $moment s: down leaves nothing" killed_up_is_removed "$moment"
  done
  expect "up killed half way: the next up succeeds" killed_up_is_continued
  expect "its supervisor killed: the cluster is gone, and up makes a new one" killed_supervisor_ends_all
  expect "its first process killed: the port is free, and status tells" killed_node_ends_all
  expect "down while up is under way ends both" down_stops_up
  expect "down of the last cluster" "$cluster" down --name "$two"
  expect "the machine is as it was before" machine_is_unchanged
}

# Links, mounts, cgroups, processes, settings and folders of the machine. Other
# clusters may run beside the tests, so only what concerns ours is compared,
# and for the rest what a cluster could change.
describe_machine() {
  local name
  echo "links"
  ip -brief link show | awk '{ print $1 }' | grep -v '^tny-' | sort
  for name in "$one" "$two" "$three"; do has_link "$name" || true; done
  echo "mounts"
  awk '{ print $5 }' /proc/self/mountinfo | sort
  echo "cgroups"
  find /sys/fs/cgroup -type d \( -name "tenantry-$one-*" -o -name "tenantry-$two-*" -o -name "tenantry-$three-*" -o -name 'kubepods*' \) |
    sed '\#/tenantry-[^/]*/#d' | sort
  [ ! -e /sys/fs/cgroup/cgroup.subtree_control ] || cat /sys/fs/cgroup/cgroup.subtree_control
  echo "processes"
  cluster_processes_of "$one" "$two" "$three"
  echo "settings"
  grep -r . /proc/sys/kernel/panic /proc/sys/kernel/panic_on_oops /proc/sys/kernel/keys/root_maxkeys \
    /proc/sys/vm/overcommit_memory /proc/sys/net/ipv4/ip_forward /proc/sys/net/netfilter/nf_conntrack_max \
    /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null || true
  echo "folders"
  ls -d /var/lib/cni /var/lib/kubelet /var/lib/containerd /opt/containerd /opt/cni /etc/cni /run/containerd \
    /run/node /run/untouched /run/xtables.lock /var/log/pods /var/log/containers /usr/libexec/kubernetes 2>/dev/null || true
  echo "packet filter"
  iptables-save | grep '^[-:]' | grep -i -e kube -e cni || true
}

cluster_directory() { printf '%s\n' "${TENANTRY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tenantry}/cluster/$1"; }
identity() { cluster_directory "$1" | tr -d '\n' | sha256sum | cut -c 1-8; }

# Processes whose command line or environment belongs to a cluster's directory.
cluster_processes_of() {
  local name process
  for name in "$@"; do
    for process in /proc/[0-9]*; do
      if tr '\0' ' ' 2>/dev/null <"$process/cmdline" | grep -qF -e "$(cluster_directory "$name") " -e "tenantry-$name-"; then
        echo "$name: $(tr '\0' ' ' <"$process/cmdline")"
      fi
    done
  done
}

remember_machine() {
  clean_clusters
  describe_machine >"$scratch/before"
}

clean_clusters() {
  local name
  for name in "$one" "$two" "$three"; do "$cluster" down --name "$name" 2>/dev/null; done
}

machine_is_unchanged() {
  describe_machine >"$scratch/after" && diff "$scratch/before" "$scratch/after"
}

has_link() { ip link show "tny-$(identity "$1")" 2>/dev/null; }

# is_gone NAME: nothing of one cluster is left, and its folder neither.
is_gone() {
  [ -z "$(cluster_processes_of "$1")" ] &&
    not has_link "$1" &&
    [ -z "$(find /sys/fs/cgroup -maxdepth 2 -name "tenantry-$1-*")" ] &&
    [ ! -e "$(cluster_directory "$1")" ] &&
    not grep -F "$(cluster_directory "$1")/" /proc/self/mountinfo
}

down_spares_others() {
  local port
  port=$(port_of "$one")
  "$cluster" down --name "$one" && is_gone "$one" &&
    not curl --silent --max-time 1 "http://127.0.0.1:$port/" &&
    "$cluster" status --name "$two" && answers 404 nobody.example.org "$two"
}

# kill_up SECONDS: starts `up` and kills it, and what it runs, after a while.
kill_up() {
  local process
  setsid "$cluster" up --name "$three" >"$scratch/$three.env" 2>"$scratch/killed" &
  process=$!
  sleep "$1" # the moment is what is tested, so there is no condition to wait for
  kill -KILL -- "-$process" 2>/dev/null || kill -KILL "$process"
  wait "$process" 2>/dev/null
  true
}

killed_up_is_removed() {
  kill_up "$1" && "$cluster" down --name "$three" && is_gone "$three"
}

killed_up_is_continued() {
  kill_up 1 && start_cluster "$three" && answers 404 nobody.example.org "$three"
}

supervisor_of() { pgrep -f -- "supervise --name $1 "; }

killed_supervisor_ends_all() {
  kill -KILL "$(supervisor_of "$three")" &&
    within 5 not "$cluster" status --name "$three" &&
    start_cluster "$three" && answers 404 nobody.example.org "$three"
}

killed_node_ends_all() {
  kill -KILL "$(sed -n 's/^first_process=//p' "$(cluster_directory "$three")/facts")" &&
    within 5 not "$cluster" status --name "$three" &&
    not curl --silent --max-time 1 "http://$(value INGRESS_ADDRESS "$three")/" &&
    "$cluster" down --name "$three" && is_gone "$three"
}

down_stops_up() {
  local process
  "$cluster" up --name "$three" >/dev/null 2>&1 &
  process=$!
  within 5 supervisor_of "$three" && "$cluster" down --name "$three" && not wait "$process" && is_gone "$three"
}
