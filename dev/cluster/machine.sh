# shellcheck shell=bash
# shellcheck disable=SC2154 # packages: cluster
# Whether this machine can run a cluster: every reason why not, with what mends
# it, within two seconds. Sourced by `cluster`.

# check_machine: what nobody can install.
check_machine() {
  local problems=()
  [ "$(uname -s)" = Linux ] || problems+=("runs on Linux only, not on $(uname -s)")
  case $(uname -m) in
    x86_64 | aarch64) ;;
    *) problems+=("no prebuilt ingress controller for $(uname -m)") ;;
  esac
  if [ "$(id -u)" -ne 0 ]; then
    problems+=("needs root: it makes namespaces, cgroups and network links; run it with sudo")
  else
    check_capabilities
    check_cgroups
    check_kernel
  fi
  report_problems "${problems[@]}"
}

# check_packages: what an administrator can install.
check_packages() {
  local problems=() missing=() program
  for program in containerd ctr runc iptables iptables-save ipset conntrack ip nsenter setsid; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  [ ${#missing[@]} -eq 0 ] || problems+=("missing programs: ${missing[*]}; as root: dev/tools/install apt ${packages[*]}")
  [ -e /usr/lib/cni/bridge ] || [ -e /opt/cni/bin/bridge ] || [ -e /usr/libexec/cni/bridge ] ||
    problems+=("missing network plugins; as root: dev/tools/install apt containernetworking-plugins")
  report_problems "${problems[@]}"
}

report_problems() {
  [ $# -gt 0 ] || return 0
  printf 'This machine cannot run the local Kubernetes:\n' >&2
  printf '  - %s\n' "$@" >&2
  printf 'The demo can use a cluster that exists already: DEMO_KUBECONFIG=FILE DEMO_INGRESS_ADDRESS=ADDRESS:PORT.\n' >&2
  return 1
}

# The checks below add to their caller's `problems`.

check_capabilities() {
  local effective bit
  effective=$((16#$(sed -n 's/^CapEff:\s*//p' /proc/self/status)))
  for bit in 5:KILL 12:NET_ADMIN 13:NET_RAW 18:SYS_CHROOT 21:SYS_ADMIN 27:MKNOD; do
    ((effective >> ${bit%:*} & 1)) || problems+=("root lacks CAP_${bit#*:}: in a container, start that with --privileged")
  done
  unshare --mount --net --ipc --pid --cgroup --fork true 2>/dev/null ||
    problems+=("may not make namespaces: a container or a security module forbids it")
}

check_cgroups() {
  local kind controller
  kind=$(stat --file-system --format %T /sys/fs/cgroup 2>/dev/null || true)
  case $kind in
    cgroup2fs)
      for controller in cpuset cpu memory pids; do
        grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers ||
          problems+=("the kernel's cgroups have no controller $controller")
      done
      # Only the true root may hold processes and pass controllers on.
      if [ -e /sys/fs/cgroup/cgroup.type ] && [ -s /sys/fs/cgroup/cgroup.procs ]; then
        problems+=("the cgroup root of this container holds processes: share the machine's (--cgroupns=host)")
      fi
      [ -w /sys/fs/cgroup/cgroup.subtree_control ] || problems+=("/sys/fs/cgroup cannot be written")
      ;;
    tmpfs)
      for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
        [ -w "/sys/fs/cgroup/$controller/cgroup.procs" ] || problems+=("no writable cgroup $controller in /sys/fs/cgroup")
      done
      ;;
    *) problems+=("no cgroups at /sys/fs/cgroup (found: ${kind:-nothing})") ;;
  esac
}

check_kernel() {
  local memory
  [ -e /proc/sys/net/bridge ] || modprobe --dry-run --quiet br_netfilter 2>/dev/null ||
    problems+=("the kernel has no br_netfilter: network policies could not be enforced")
  grep -qw overlay /proc/filesystems || modprobe --quiet overlay 2>/dev/null ||
    problems+=("the kernel has no overlay file system")
  memory=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
  [ "$memory" -ge 1500000 ] || problems+=("needs 1.5 GB of free memory, and there are $((memory / 1024)) MB")
}
