{{/* The objects beside the application: see the head of _sidecar.tpl. */}}

{{- define "walrelay.sidecar.labels" -}}
app.kubernetes.io/name: walrelay
app.kubernetes.io/instance: {{ .ctx.Release.Name }}
app.kubernetes.io/component: sidecar
app.kubernetes.io/managed-by: {{ .ctx.Release.Service }}
{{- end }}

{{- define "walrelay.sidecar.metadata" -}}
metadata:
  name: {{ include "walrelay.sidecar.name" . }}
  namespace: {{ .ctx.Release.Namespace }}
  labels:
    {{- include "walrelay.sidecar.labels" . | nindent 4 }}
{{- end }}

{{- define "walrelay.sidecar.manifests" -}}
{{- include "walrelay.sidecar.validate" . -}}
{{- if not .selectorLabels }}{{ fail "walrelay.sidecar.manifests needs selectorLabels: the labels by which the application's Pods are found" }}{{ end -}}
{{- if not .values.existingConfigMap.name }}
---
apiVersion: v1
kind: ConfigMap
{{ include "walrelay.sidecar.metadata" . }}
data:
  {{- include "walrelay.sidecar.part" (merge (dict "part" "walrelay.parts.configData") .) | nindent 2 }}
{{- end }}
---
# Without an address of its own: the name resolves to every Pod, and walrelay's client asks the one that streams. Pods that
# are not ready belong to it, because a gate asks before its Pod can be ready.
apiVersion: v1
kind: Service
{{ include "walrelay.sidecar.metadata" . }}
spec:
  type: ClusterIP
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    {{- toYaml .selectorLabels | nindent 4 }}
  ports:
    - name: walrelay
      port: {{ .values.http.port }}
      targetPort: {{ .values.http.port }}
      protocol: TCP
{{- if .values.podMonitor.enabled }}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: {{ include "walrelay.sidecar.name" . }}
  namespace: {{ .ctx.Release.Namespace }}
  labels:
    {{- include "walrelay.sidecar.labels" . | nindent 4 }}
    {{- with .values.podMonitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- toYaml .selectorLabels | nindent 6 }}
  namespaceSelector:
    matchNames: [{{ .ctx.Release.Namespace }}]
  podMetricsEndpoints:
    - port: walrelay
      path: /metrics
      {{- with .values.podMonitor.interval }}
      interval: {{ . }}
      {{- end }}
      {{- with .values.podMonitor.scrapeTimeout }}
      scrapeTimeout: {{ . }}
      {{- end }}
{{- end }}
{{- end }}
