# shellcheck shell=bash
# shellcheck disable=SC2154 # name, id, directory, clusters: cluster
# Ending a cluster, whatever state it is in: what it made carries names that
# follow from its directory, so nothing has to be recorded. Sourced by `cluster`.

# cluster_cgroups: sets `cgroups`; one on version 2, one in each hierarchy on version 1.
cluster_cgroups() {
  local found
  cgroups=()
  for found in "/sys/fs/cgroup/$id" /sys/fs/cgroup/*/"$id"; do
    [ ! -d "$found" ] || cgroups+=("$found")
  done
}

# cluster_processes: every process that was ever started in it and still lives.
cluster_processes() {
  local cgroups
  cluster_cgroups
  [ ${#cgroups[@]} -gt 0 ] || return 0
  # A cgroup may go while it is looked at.
  { find "${cgroups[@]}" -name cgroup.procs -exec cat {} + 2>/dev/null || true; } | sort -un
}

# kill_cluster: by SIGKILL, because components take their time otherwise (the API
# server more than a minute) and nothing of the cluster is kept.
kill_cluster() {
  local processes deadline=$((SECONDS + 15))
  while processes=$(cluster_processes) && [ -n "$processes" ]; do
    [ "$SECONDS" -lt "$deadline" ] || fail "processes of cluster $name do not die: $(tr '\n' ' ' <<<"$processes")"
    # shellcheck disable=SC2086 # one word for each process
    kill -KILL $processes 2>/dev/null || true
    sleep 0.05
  done
}

remove_cluster() {
  kill_cluster
  remove_cgroups
  ip link delete "tny-${id##*-}" 2>/dev/null || true # gone already with its other end
  rm -rf --one-file-system "$directory"
  return_controllers
}

# A cgroup can be removed a moment after its last process has gone.
remove_cgroups() {
  local cgroups deadline=$((SECONDS + 15))
  cluster_cgroups
  while [ ${#cgroups[@]} -gt 0 ]; do
    [ "$SECONDS" -lt "$deadline" ] || fail "cgroups of cluster $name cannot be removed: ${cgroups[*]}"
    find "${cgroups[@]}" -depth -type d -exec rmdir {} \; 2>/dev/null || sleep 0.05
    cluster_cgroups
  done
}

# return_controllers: on version 2, what the first cluster switched on for the
# root is switched off again with the last.
return_controllers() {
  local controller others=(/sys/fs/cgroup/tenantry-*)
  [ -e "$clusters/.controllers" ] && [ ${#others[@]} -eq 0 ] || return 0
  while read -r controller; do
    printf -- '-%s\n' "$controller" >/sys/fs/cgroup/cgroup.subtree_control ||
      say "controller $controller stays switched on: something else uses it now"
  done <"$clusters/.controllers"
  rm "$clusters/.controllers"
}
