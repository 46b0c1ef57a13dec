{{/* Labels that select the pods: they can never change in a release. */}}
{{- define "tenant.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Labels of every object: the caller's first, so that ours win. */}}
{{- define "tenant.labels" -}}
{{- $ours := dict
  "app.kubernetes.io/name" .Chart.Name
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version) -}}
{{- toYaml (merge $ours .Values.labels) }}
{{- end }}

{{/* A pod template's labels: without the chart's version, so that a new chart
     that renders the same pods does not restart them. */}}
{{- define "tenant.podLabels" -}}
{{- $ours := dict
  "app.kubernetes.io/name" .Chart.Name
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/managed-by" .Release.Service -}}
{{- toYaml (merge $ours .Values.labels) }}
{{- end }}
