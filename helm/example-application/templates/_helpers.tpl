{{- define "example.labels" -}}
app.kubernetes.io/name: example-application
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
