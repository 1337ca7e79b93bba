{{/*
What a container that runs walrelay is made of: image, configuration, environment, secrets as files, probes, and the
mistakes that can be seen before anything runs. Everything takes a dict:
  ctx     the root of the chart that renders
  values  image, config, existingConfigMap, postgres, redis, http, extraEnv ... as in values.yaml
  name    the name of the ConfigMap
  prefix  what the names of volumes begin with
  version the tag of the image when the values have none
  moreEnv further variables, as YAML
This file stands in the chart walrelay and in the library walrelay-sidecar; tests/helm says when the two differ.
*/}}

{{- define "walrelay.parts.image" -}}
{{- $image := .image -}}
{{- $registry := $image.registry | default ((.ctx.Values.global).imageRegistry) -}}
{{- $name := $image.repository -}}
{{- if $registry }}{{ $name = printf "%s/%s" (trimSuffix "/" $registry) $name }}{{ end -}}
{{- if $image.digest -}}
{{ printf "%s@%s" $name $image.digest }}
{{- else -}}
{{ printf "%s:%s" $name ($image.tag | default .version) }}
{{- end -}}
{{- end }}

{{/* The text of walrelay.yaml. A map is printed, a text stays as it is. */}}
{{- define "walrelay.parts.configText" -}}
{{- if kindIs "string" .values.config }}{{ .values.config }}{{ else }}{{ toYaml .values.config }}{{ end -}}
{{- end }}

{{/* The ConfigMap's data; also what the checksum annotation is made of. */}}
{{- define "walrelay.parts.configData" -}}
walrelay.yaml: |
{{ include "walrelay.parts.configText" . | trim | indent 2 }}
{{- end }}

{{- define "walrelay.parts.configMapName" -}}
{{ .values.existingConfigMap.name | default .name }}
{{- end }}

{{/* Rolls the Pods when the configuration changes. A ConfigMap of somebody else's is not known here. */}}
{{- define "walrelay.parts.checksum" -}}
{{- if not .values.existingConfigMap.name -}}
checksum/walrelay-config: {{ include "walrelay.parts.configData" . | sha256sum }}
{{- end -}}
{{- end }}

{{/* Which keys of PostgreSQL's secret are used, as YAML. With a host in the values the secret holds a password. */}}
{{- define "walrelay.parts.postgresKeys" -}}
{{- $secret := .values.postgres.existingSecret -}}
{{- $keys := omit $secret "name" -}}
{{- if $secret.name -}}
{{- $named := list -}}
{{- range $keys }}{{ if . }}{{ $named = append $named . }}{{ end }}{{ end -}}
{{- if not $named -}}
{{- $keys = ternary (dict "passwordKey" "password") (dict "uriKey" "uri") (not (empty .values.postgres.host)) -}}
{{- end -}}
{{ toYaml $keys }}
{{- else -}}
{}
{{- end -}}
{{- end }}

{{- define "walrelay.parts.redisKeys" -}}
{{- $secret := .values.redis.existingSecret -}}
{{- $keys := omit $secret "name" -}}
{{- if $secret.name -}}
{{- if not (or $secret.uriKey $secret.passwordKey $secret.userKey) -}}
{{- $keys = ternary (dict "passwordKey" "password") (dict "uriKey" "uri") (not (empty .values.redis.host)) -}}
{{- end -}}
{{ toYaml $keys }}
{{- else -}}
{}
{{- end -}}
{{- end }}

{{/* A variable whose value is a key of a secret. */}}
{{- define "walrelay.parts.envFromSecret" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end }}

{{- define "walrelay.parts.envPlain" -}}
- name: {{ .variable }}
  value: {{ .value | toString | quote }}
{{- end }}

{{/* Passwords and URLs come as files, which a rotation reaches; names and ports, which are no secrets, as variables. */}}
{{- define "walrelay.parts.postgresEnv" -}}
{{- $postgres := .values.postgres -}}
{{- $keys := include "walrelay.parts.postgresKeys" . | fromYaml -}}
{{- $secret := $postgres.existingSecret.name -}}
{{- if $keys.uriKey }}
{{ include "walrelay.parts.envPlain" (dict "variable" "WALRELAY_SOURCE_URL_FILE" "value" (printf "/run/secrets/walrelay/postgres/%s" $keys.uriKey)) }}
{{- end }}
{{- range $part := list "host" "port" "user" "database" }}
{{- $variable := printf "WALRELAY_SOURCE_%s" (ternary "DBNAME" (upper $part) (eq $part "database")) }}
{{- if get $keys (printf "%sKey" $part) }}
{{ include "walrelay.parts.envFromSecret" (dict "variable" $variable "secret" $secret "key" (get $keys (printf "%sKey" $part))) }}
{{- else if get $postgres $part }}
{{ include "walrelay.parts.envPlain" (dict "variable" $variable "value" (get $postgres $part)) }}
{{- end }}
{{- end }}
{{- if $keys.passwordKey }}
{{ include "walrelay.parts.envPlain" (dict "variable" "WALRELAY_SOURCE_PASSWORD_FILE" "value" (printf "/run/secrets/walrelay/postgres/%s" $keys.passwordKey)) }}
{{- end }}
{{- if $postgres.sslmode }}
{{ include "walrelay.parts.envPlain" (dict "variable" "WALRELAY_SOURCE_SSLMODE" "value" $postgres.sslmode) }}
{{- end }}
{{- if $postgres.tls.existingSecret }}
{{- range $variable, $key := dict "SSLROOTCERT" $postgres.tls.caKey "SSLCERT" $postgres.tls.certificateKey "SSLKEY" $postgres.tls.keyKey }}
{{- if $key }}
{{ include "walrelay.parts.envPlain" (dict "variable" (printf "WALRELAY_SOURCE_%s" $variable) "value" (printf "/run/secrets/walrelay/postgres-tls/%s" $key)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "walrelay.parts.redisEnv" -}}
{{- $redis := .values.redis -}}
{{- $keys := include "walrelay.parts.redisKeys" . | fromYaml -}}
{{- if $keys.uriKey }}
{{ include "walrelay.parts.envPlain" (dict "variable" "WALRELAY_TARGET_URL_FILE" "value" (printf "/run/secrets/walrelay/redis/%s" $keys.uriKey)) }}
{{- end }}
{{- range $part := list "host" "port" "database" }}
{{- if get $redis $part }}
{{ include "walrelay.parts.envPlain" (dict "variable" (printf "WALRELAY_TARGET_%s" (upper $part)) "value" (get $redis $part)) }}
{{- end }}
{{- end }}
{{- if $keys.userKey }}
{{ include "walrelay.parts.envFromSecret" (dict "variable" "WALRELAY_TARGET_USER" "secret" $redis.existingSecret.name "key" $keys.userKey) }}
{{- else if $redis.user }}
{{ include "walrelay.parts.envPlain" (dict "variable" "WALRELAY_TARGET_USER" "value" $redis.user) }}
{{- end }}
{{- if $keys.passwordKey }}
{{ include "walrelay.parts.envPlain" (dict "variable" "WALRELAY_TARGET_PASSWORD_FILE" "value" (printf "/run/secrets/walrelay/redis/%s" $keys.passwordKey)) }}
{{- end }}
{{- if $redis.tls.enabled }}
{{ include "walrelay.parts.envPlain" (dict "variable" "WALRELAY_TARGET_TLS_ENABLED" "value" "true") }}
{{- end }}
{{- if $redis.tls.existingSecret }}
{{- range $variable, $key := dict "CA" $redis.tls.caKey "CERTIFICATE" $redis.tls.certificateKey "KEY" $redis.tls.keyKey }}
{{- if $key }}
{{ include "walrelay.parts.envPlain" (dict "variable" (printf "WALRELAY_TARGET_TLS_%s" $variable) "value" (printf "/run/secrets/walrelay/redis-tls/%s" $key)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* extraEnv is a list, as Kubernetes has it, or a map of names and values. */}}
{{- define "walrelay.parts.extraEnv" -}}
{{- if kindIs "map" . }}
{{- range $name, $value := . }}
{{- if kindIs "map" $value }}
- name: {{ $name }}
  {{- toYaml $value | nindent 2 }}
{{- else }}
{{ include "walrelay.parts.envPlain" (dict "variable" $name "value" $value) }}
{{- end }}
{{- end }}
{{- else if . }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* WALRELAY_CONFIG and not a flag, so that `kubectl exec ... -- walrelay status` needs none either. */}}
{{- define "walrelay.parts.env" -}}
{{ include "walrelay.parts.envPlain" (dict "variable" "WALRELAY_CONFIG" "value" (printf "/etc/walrelay/%s" (ternary .values.existingConfigMap.key "walrelay.yaml" (not (empty .values.existingConfigMap.name))))) }}
{{ include "walrelay.parts.envPlain" (dict "variable" "WALRELAY_HTTP_LISTEN" "value" (printf "%s:%d" .values.http.host (int .values.http.port))) }}
{{- if include "walrelay.parts.tokenSecret" . }}
{{ include "walrelay.parts.envPlain" (dict "variable" "WALRELAY_HTTP_TOKEN_FILE" "value" (printf "/run/secrets/walrelay/http/%s" (include "walrelay.parts.tokenKey" .))) }}
{{- end }}
{{- include "walrelay.parts.postgresEnv" . }}
{{- include "walrelay.parts.redisEnv" . }}
{{- with .moreEnv }}
{{ . }}
{{- end }}
{{- include "walrelay.parts.extraEnv" .values.extraEnv }}
{{- end }}

{{/* The secret with the token for actions from other Pods; empty: there is none, and no such actions. */}}
{{- define "walrelay.parts.tokenSecret" -}}
{{- if .values.http.existingSecret.name -}}
{{ .values.http.existingSecret.name }}
{{- else if .values.http.generateToken -}}
{{ printf "%s-http" .name }}
{{- end -}}
{{- end }}

{{- define "walrelay.parts.tokenKey" -}}
{{ ternary .values.http.existingSecret.key "token" (not (empty .values.http.existingSecret.name)) }}
{{- end }}

{{/* The secrets that are mounted, each with the keys that are used: as YAML, by the folder's name. */}}
{{- define "walrelay.parts.secretFiles" -}}
{{- $files := dict -}}
{{- $postgres := include "walrelay.parts.postgresKeys" . | fromYaml -}}
{{- with compact (list $postgres.uriKey $postgres.passwordKey) -}}
{{- $_ := set $files "postgres" (dict "secret" $.values.postgres.existingSecret.name "keys" .) -}}
{{- end -}}
{{- $redis := include "walrelay.parts.redisKeys" . | fromYaml -}}
{{- with compact (list $redis.uriKey $redis.passwordKey) -}}
{{- $_ := set $files "redis" (dict "secret" $.values.redis.existingSecret.name "keys" .) -}}
{{- end -}}
{{- range $side := list "postgres" "redis" -}}
{{- $tls := (get $.values $side).tls -}}
{{- if $tls.existingSecret -}}
{{- $_ := set $files (printf "%s-tls" $side) (dict "secret" $tls.existingSecret "keys" (compact (list $tls.caKey $tls.certificateKey $tls.keyKey))) -}}
{{- end -}}
{{- end -}}
{{- with include "walrelay.parts.tokenSecret" . -}}
{{- $_ := set $files "http" (dict "secret" . "keys" (list (include "walrelay.parts.tokenKey" $))) -}}
{{- end -}}
{{ toYaml $files }}
{{- end }}

{{/* Whole folders, never subPath: what is mounted by subPath does not follow a change. */}}
{{- define "walrelay.parts.volumeMounts" -}}
- name: {{ .prefix }}config
  mountPath: /etc/walrelay
  readOnly: true
{{- range $folder, $_ := include "walrelay.parts.secretFiles" . | fromYaml }}
- name: {{ $.prefix }}{{ $folder }}
  mountPath: /run/secrets/walrelay/{{ $folder }}
  readOnly: true
{{- end }}
{{- with .values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "walrelay.parts.volumes" -}}
- name: {{ .prefix }}config
  configMap:
    name: {{ include "walrelay.parts.configMapName" . }}
{{- range $folder, $files := include "walrelay.parts.secretFiles" . | fromYaml }}
- name: {{ $.prefix }}{{ $folder }}
  secret:
    secretName: {{ $files.secret }}
    defaultMode: {{ int $.values.secretFileMode }}
    items:
      {{- range uniq $files.keys }}
      - key: {{ . }}
        path: {{ . }}
      {{- end }}
{{- end }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* One probe: `kind` names it in the values, `path` is what it asks. */}}
{{- define "walrelay.parts.probe" -}}
{{- $probe := get .values.probes .kind -}}
{{- if $probe.enabled -}}
{{ .kind }}Probe:
  httpGet:
    path: {{ .path }}
    port: {{ .port }}
  {{- toYaml (omit $probe "enabled") | nindent 2 }}
{{- end -}}
{{- end }}

{{/* What every container of ours has in common, whatever it runs. */}}
{{- define "walrelay.parts.container" -}}
image: {{ include "walrelay.parts.image" (dict "image" .values.image "ctx" .ctx "version" .version) }}
imagePullPolicy: {{ .values.image.pullPolicy }}
env:
  {{- include "walrelay.parts.env" . | trim | nindent 2 }}
{{- with .values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
securityContext:
  {{- toYaml .values.securityContext | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts:
  {{- include "walrelay.parts.volumeMounts" . | nindent 2 }}
{{- end }}
