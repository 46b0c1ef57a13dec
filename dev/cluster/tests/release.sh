# shellcheck shell=bash
# shellcheck disable=SC2154 # cluster, one, two, three, scratch, here: framework.sh
# The tenant chart by Helm, in a namespace fenced as Tenantry fences it.

release_tests() {
  expect "a fenced namespace is made" make_namespace
  expect "a quota's status is filled" within 10 quota_is_filled
  expect "helm installs the chart and waits" install_release
  expect "the tenant's page answers behind its host" within 10 shows_tenant
  expect "its pod has its secret, and the release record has not" keeps_secret
  expect "helm upgrades and waits" upgrade_release
  expect "a release that cannot run fails and says so" upgrade_fails
  expect "helm rolls back and waits" roll_back_release
  expect "a certificate from a Secret serves the tenant's host" serves_tls
  expect "a tenant gets its disk" mounts_disk
  expect "a suspended tenant answers 503" suspend_release
  expect "the quota stops what is above the plan" quota_stops
  expect "helm uninstalls and waits, and nothing of the release is left" uninstall_release
}

namespace=tenant-museum
host=museum.example.org

make_namespace() {
  apply <<YAML
apiVersion: v1
kind: Namespace
metadata:
  name: $namespace
  labels: {pod-security.kubernetes.io/enforce: restricted}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: tenant, namespace: $namespace}
---
apiVersion: v1
kind: Secret
metadata: {name: credentials, namespace: $namespace}
stringData: {admin-password: never-in-a-release}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: plan, namespace: $namespace}
spec: {hard: {pods: "2", requests.cpu: 500m, requests.memory: 256Mi, limits.memory: 512Mi}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: fence, namespace: $namespace}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}}]}]
YAML
}

quota_is_filled() {
  local hard
  hard=$(kubectl --namespace "$namespace" get resourcequota plan --output 'jsonpath={.status.hard.pods}') && [ "$hard" = 2 ]
}

chart() { # helm's verb, its flags
  local verb=$1
  shift
  helm "$verb" museum "$here/../../charts/tenant" --namespace "$namespace" --values "$here/../../charts/tenant/ci/tenant.yaml" \
    --set ingress.host="$host" --wait --timeout 40s "$@"
}

install_release() {
  chart install && [ "$(helm list --namespace "$namespace" --short)" = museum ]
}

shows_tenant() {
  local page
  page=$(visit "$host" /) && [[ $page == *museum-of-examples* ]] && [[ $page == *Starter* ]]
}

keeps_secret() {
  local health records
  health=$(visit "$host" /health) && [[ $health == *'"secret":true'* ]] || return 1
  records=$(kubectl --namespace "$namespace" get secrets --selector owner=helm --output 'jsonpath={range .items[*]}{.data.release}{"\n"}{end}' |
    while read -r record; do base64 -d <<<"$record" | base64 -d | gunzip; done) || return 1
  [[ $records == *museum-of-examples* ]] && [[ $records != *never-in-a-release* ]]
}

upgrade_release() {
  chart upgrade --set env.PLAN_NAME=Professional && within 10 plan_is Professional
}

plan_is() { [[ $(visit "$host" /health) == *"\"plan\":\"$1\""* ]]; }

upgrade_fails() {
  not chart upgrade --set image.tag=missing --timeout 5s &&
    [ "$(helm history museum --namespace "$namespace" --max 1 --output json | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["status"])')" = failed ] &&
    # The version before goes on serving.
    plan_is Professional
}

roll_back_release() {
  helm rollback museum 1 --namespace "$namespace" --wait --timeout 40s && within 10 plan_is Starter
}

serves_tls() {
  local address
  address=$(value INGRESS_TLS_ADDRESS "$one")
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$host" \
    -addext "subjectAltName=DNS:$host" -keyout "$scratch/tls.key" -out "$scratch/tls.crt" &&
    kubectl --namespace "$namespace" create secret tls museum-tls --cert "$scratch/tls.crt" --key "$scratch/tls.key" &&
    chart upgrade --set ingress.tls.enabled=true &&
    within 10 curl --silent --show-error --fail --max-time 3 --cacert "$scratch/tls.crt" \
      --connect-to "$host:443:$address" "https://$host/health"
}

mounts_disk() {
  apply <<YAML &&
apiVersion: v1
kind: PersistentVolume
metadata: {name: museum-disk}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: by-hand
  hostPath: {path: /run/node/disks/museum, type: DirectoryOrCreate}
YAML
    chart upgrade --set persistence.enabled=true --set persistence.storageClass=by-hand &&
    [ "$(kubectl --namespace "$namespace" get persistentvolumeclaim museum --output 'jsonpath={.status.phase}')" = Bound ]
}

suspend_release() {
  chart upgrade --set replicas=0 && within 10 answers 503 "$host"
}

quota_stops() {
  chart upgrade --set replicas=3 --timeout 5s
  within 10 quota_was_exceeded
}

quota_was_exceeded() {
  kubectl --namespace "$namespace" get events --field-selector reason=FailedCreate | grep 'exceeded quota'
}

uninstall_release() {
  helm uninstall museum --namespace "$namespace" --wait --timeout 40s &&
    [ -z "$(kubectl --namespace "$namespace" get deployments,services,ingresses,secrets --selector app.kubernetes.io/instance=museum --output name)" ] &&
    [ -z "$(helm list --namespace "$namespace" --all --short)" ] &&
    within 10 answers 404 "$host" &&
    kubectl delete namespace "$namespace" --timeout 40s
}
