# shellcheck shell=bash
# shellcheck disable=SC2154 # cluster, one, two, three, scratch, here: framework.sh
# Names, services, ingress, and network policies that really hold. Every request
# is a connection of its own: an open one survives a new policy.

network_tests() {
  expect "pods of two namespaces start" start_pods
  expect "a pod finds a service of another namespace by its name" within 10 from_blue resolve web.red.svc.cluster.local
  expect "a name outside does not exist, at once" refuses "no such host" from_blue resolve example.org
  expect "without a policy a pod reaches another namespace" within 10 from_blue get http://web.red/health
  expect "an ingress leads its host to the pod" within 10 visit red.example.org /health
  expect "another host leads nowhere" answers 404 blue.example.org
  expect "default-deny blocks a pod of another namespace" policy_blocks
  expect "default-deny blocks a pod of the same namespace" within 5 not from_red get http://web.red/health
  expect "an opening for the ingress lets only the ingress in" ingress_only
  expect "lifting the policy opens again" policy_lifted
  expect "default-deny of what leaves blocks names too" egress_blocked
  expect "an opening for names and one service lets only those through" egress_opened
  expect "address blocks with exceptions hold" address_blocks_hold
  expect "openings by a port's name and by a range of ports hold" ports_hold
}

from_blue() { kubectl --namespace blue exec client -- /collection "$@"; }
from_red() { kubectl --namespace red exec client -- /collection "$@"; }
apply() { kubectl apply --server-side --filename - >&2; }

pod() { # NAMESPACE NAME
  cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $2, namespace: $1, labels: {app: $2}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: product
      image: localhost/collection:1
      ports: [{name: http, containerPort: 8080}]
      readinessProbe: {httpGet: {path: /health, port: 8080}, periodSeconds: 1}
---
YAML
}

policy() { # NAMESPACE NAME SPEC
  apply <<YAML
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: $2, namespace: $1}
spec: $3
YAML
}

start_pods() {
  kubectl create namespace red && kubectl create namespace blue &&
    { pod red web; pod red client; pod blue client; cat <<'YAML'; } | apply &&
apiVersion: v1
kind: Service
metadata: {name: web, namespace: red}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: red}
spec:
  rules:
    - host: red.example.org
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
YAML
    kubectl --namespace red wait --for condition=Ready --timeout 30s pod/web pod/client &&
    kubectl --namespace blue wait --for condition=Ready --timeout 30s pod/client
}

policy_blocks() {
  policy red default-deny '{podSelector: {}, policyTypes: [Ingress]}' &&
    within 5 not from_blue get http://web.red/health &&
    # It holds, for new connections, and is no accident of one moment.
    not from_blue get http://web.red/health
}

ingress_only() {
  # The controller may still hold a connection from before the policy, so what it
  # answers says nothing until it has made a new one: a pod of another address.
  policy red from-ingress '{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}}]}]}' &&
    kubectl --namespace red delete pod web --now && pod red web | apply &&
    kubectl --namespace red wait --for condition=Ready --timeout 30s pod/web &&
    within 10 visit red.example.org /health &&
    not from_blue get http://web.red/health
}

policy_lifted() {
  kubectl --namespace red delete networkpolicy default-deny from-ingress &&
    within 5 from_blue get http://web.red/health
}

egress_blocked() {
  policy blue default-deny '{podSelector: {}, policyTypes: [Egress]}' &&
    within 10 not from_blue resolve web.red.svc.cluster.local
}

names='{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]}'

egress_opened() {
  policy blue openings "{podSelector: {}, policyTypes: [Egress], egress: [$names, {to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: red}}, podSelector: {matchLabels: {app: web}}}]}]}" &&
    within 5 from_blue get http://web.red/health &&
    not from_blue get "http://$(kubectl --namespace red get pod client --output 'jsonpath={.status.podIP}'):8080/health" &&
    kubectl --namespace blue delete networkpolicy openings
}

address_blocks_hold() {
  local web client
  web=$(kubectl --namespace red get pod web --output 'jsonpath={.status.podIP}')
  client=$(kubectl --namespace red get pod client --output 'jsonpath={.status.podIP}')
  policy blue openings "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.244.0.0/16, except: [$client/32]}}]}]}" &&
    within 5 from_blue get "http://$web:8080/health" &&
    not from_blue get "http://$client:8080/health" &&
    kubectl --namespace blue delete networkpolicy openings default-deny
}

ports_hold() {
  policy red ports '{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{ports: [{port: 9000, endPort: 9999}]}]}' &&
    within 5 not from_blue get http://web.red/health &&
    policy red ports '{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{ports: [{port: 8000, endPort: 8100}]}]}' &&
    within 5 from_blue get http://web.red/health &&
    policy red ports '{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{ports: [{port: other}]}]}' &&
    within 5 not from_blue get http://web.red/health &&
    policy red ports '{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{ports: [{port: http}]}]}' &&
    within 5 from_blue get http://web.red/health &&
    kubectl --namespace red delete networkpolicy ports
}
