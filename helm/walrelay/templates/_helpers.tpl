{{- define "walrelay.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* At most 52 characters: a CronJob's name may have no more, and "-rebuild" is added to it. */}}
{{- define "walrelay.fullname" -}}
{{- $name := include "walrelay.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{ .Values.fullnameOverride | default $full | trunc 44 | trimSuffix "-" }}
{{- end }}

{{- define "walrelay.releaseLabels" -}}
app.kubernetes.io/name: {{ include "walrelay.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "walrelay.selectorLabels" -}}
{{ include "walrelay.releaseLabels" . }}
app.kubernetes.io/component: relay
{{- end }}

{{- define "walrelay.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "walrelay.releaseLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Everything in a Pod that is the same for the relay, the rebuild and the test. Takes the root. */}}
{{- define "walrelay.podDefaults" -}}
automountServiceAccountToken: false
{{- with .Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- /* A Service in the namespace must not become variables that begin with WALRELAY_. */}}
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Which series are this release's, for the alerts. */}}
{{- define "walrelay.selector" -}}
{{- $name := include "walrelay.fullname" . -}}
{{- if .Values.prometheusRule.selector -}}
{{ .Values.prometheusRule.selector }}
{{- else if .Values.podMonitor.enabled -}}
{{ printf "job=\"%s/%s\"" .Release.Namespace $name }}
{{- else -}}
{{ printf "job=\"%s\", namespace=\"%s\"" $name .Release.Namespace }}
{{- end -}}
{{- end }}

{{/* What contradicts itself in this chart's own values; _checks.tpl has what it shares with the library. */}}
{{- define "walrelay.validate" -}}
{{- $values := .Values -}}
{{- include "walrelay.checks.config" (dict "ctx" . "values" $values "name" (include "walrelay.fullname" .)) -}}
{{- $replicas := int $values.replicas -}}
{{- if gt $replicas 2 }}{{ fail (printf "replicas is %d: one walrelay streams and one stands by, more would only wait; set 1 or 2" $replicas) }}{{ end -}}
{{- if and (gt $replicas 1) (eq ($values.strategy.type | default "") "Recreate") }}{{ fail "replicas is 2 and strategy.type is Recreate: that would stop the standby with the one that streams; leave strategy empty or set RollingUpdate" }}{{ end -}}
{{- $budget := $values.podDisruptionBudget -}}
{{- if $budget.enabled -}}
{{- if and (ne (toString $budget.minAvailable) "") (ne (toString $budget.maxUnavailable) "") }}{{ fail "podDisruptionBudget has both minAvailable and maxUnavailable: keep one of them" }}{{ end -}}
{{- $least := toString $budget.minAvailable -}}
{{- if or (eq $least "100%") (and (regexMatch `^[0-9]+$` $least) (ge (int $least) $replicas)) }}{{ fail (printf "podDisruptionBudget.minAvailable is %s and replicas is %d: no node could be drained; set it below replicas, or use maxUnavailable: 1" $least $replicas) }}{{ end -}}
{{- if has (toString $budget.maxUnavailable) (list "0" "0%") }}{{ fail "podDisruptionBudget.maxUnavailable is 0: no node could be drained; set it to 1" }}{{ end -}}
{{- end -}}
{{- if and $values.podMonitor.enabled $values.serviceMonitor.enabled }}{{ fail "podMonitor and serviceMonitor are both enabled: every series would be scraped twice, keep one of them" }}{{ end -}}
{{- if and $values.rebuild.enabled (not (include "walrelay.parts.tokenSecret" (dict "values" $values "name" "x"))) }}{{ fail "rebuild.enabled needs a token, because it asks walrelay from another Pod: set http.generateToken, or name a Secret in http.existingSecret.name" }}{{ end -}}
{{- end }}
