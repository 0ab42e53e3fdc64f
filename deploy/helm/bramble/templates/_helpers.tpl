{{- define "bramble.name" -}}
{{ default "bramble" .Values.nameOverride }}
{{- end }}

{{- define "bramble.serviceAccountName" -}}
{{ default (include "bramble.name" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "bramble.selectorLabels" -}}
app.kubernetes.io/name: {{ include "bramble.name" . }}
{{- end }}

{{- define "bramble.labels" -}}
{{ include "bramble.selectorLabels" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "bramble.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default .Chart.AppVersion $image.tag }}
{{- end -}}
{{- end }}

{{- /* What tells how the kubelet's certificate is checked: deploy/kubernetes/overlays, docs/naming.md. */ -}}
{{- define "bramble.checksNodeName" -}}
{{- if has .Values.distribution (list "microk8s" "kubeadm") }}true{{ end -}}
{{- end }}

{{- define "bramble.hasOwnCertificate" -}}
{{- if eq .Values.distribution "kubeadm" }}true{{ end -}}
{{- end }}

{{- define "bramble.probe" -}}
{{- $web := .root.Values.webConfig -}}
{{- if and $web.existingSecret (eq $web.probe "tcp") -}}
tcpSocket:
  port: metrics
{{- else -}}
httpGet:
  path: {{ .path }}
  port: metrics
  {{- if and $web.existingSecret (eq $web.scheme "HTTPS") }}
  scheme: HTTPS
  {{- end }}
{{- end -}}
{{- end }}

{{- /*
bramble's series are about other pods, and name them in the labels namespace, pod and container. The operator gives the
target labels of the same names. Without honorLabels Prometheus keeps the target's labels, and all series are about
bramble's own pod.
*/ -}}
{{- define "bramble.endpoint" -}}
{{- $monitor := .monitor -}}
{{- $web := .root.Values.webConfig -}}
port: metrics
path: /metrics
honorLabels: true
{{- if and $web.existingSecret (eq $web.scheme "HTTPS") }}
scheme: https
{{- end }}
{{- with $web.endpoint }}
{{ toYaml . }}
{{- end }}
{{- with $monitor.interval }}
interval: {{ . }}
{{- end }}
{{- with $monitor.scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
relabelings:
  - sourceLabels: [__meta_kubernetes_pod_node_name]
    targetLabel: node
  {{- with $monitor.relabelings }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $monitor.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
