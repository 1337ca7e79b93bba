{{/*
walrelay beside an application. Each template takes a dict:
  ctx             the root, $
  values          the values of this library: .Values.walrelay, where the dependency has the alias walrelay
  name            what the ConfigMap, the Service and the PodMonitor are called; <release>-walrelay when not given
  selectorLabels  the labels by which the application's Pods are found, as a map
  replicas        how many Pods there will be; only checked

  walrelay.sidecar.annotations     of the Pod: rolls it when the configuration changes
  walrelay.sidecar.initContainers  the native sidecar, and the gate behind it
  walrelay.sidecar.containers      the plain container, where the sidecar is not native
  walrelay.sidecar.volumes         what both of them mount
  walrelay.sidecar.manifests       ConfigMap, Service, PodMonitor: in a file of its own
*/}}

{{- define "walrelay.sidecar.version" -}}0.1.0{{- end }}

{{- define "walrelay.sidecar.name" -}}
{{ .name | default (printf "%s-walrelay" (.ctx.Release.Name | trunc 54 | trimSuffix "-")) }}
{{- end }}

{{/* "true", or nothing. */}}
{{- define "walrelay.sidecar.native" -}}
{{- if eq (toString .values.native) "auto" -}}
{{- if semverCompare ">=1.29.0-0" .ctx.Capabilities.KubeVersion.Version }}true{{ end -}}
{{- else if .values.native -}}
true
{{- end -}}
{{- end }}

{{/* A temporary slot must have a name of its own in each Pod; walrelay writes the name's dashes as underscores. */}}
{{- define "walrelay.sidecar.perPodEnv" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: WALRELAY_SOURCE_SLOT
  value: $(POD_NAME)
- name: WALRELAY_SOURCE_TEMPORARY_SLOT
  value: "true"
- name: WALRELAY_TARGET_URL
  value: redis://127.0.0.1:{{ .values.perPod.redis.port }}/0
{{- end }}

{{- define "walrelay.sidecar.validate" -}}
{{- $values := .values -}}
{{- if not $values }}{{ fail "walrelay.sidecar: give the library's values, as in (dict \"ctx\" $ \"values\" .Values.walrelay)" }}{{ end -}}
{{- $perPod := eq $values.topology "per-pod" -}}
{{- if $perPod -}}
{{- if or $values.redis.host $values.redis.existingSecret.name }}{{ fail "topology is per-pod, so each Pod has a Redis of its own: leave redis.host and redis.existingSecret.name empty, or set topology: shared" }}{{ end -}}
{{- $config := dict -}}
{{- if and $values.config (not $values.existingConfigMap.name) }}{{ $config = include "walrelay.parts.configText" . | fromYaml }}{{ end -}}
{{- if or (($config.source).slot) (hasKey ($config.source | default dict) "temporary_slot") }}{{ fail "topology is per-pod, so each Pod has a temporary slot of its own name: leave config.source.slot and config.source.temporary_slot out" }}{{ end -}}
{{- if or (($config.target).url) (($config.target).host) (($config.target).unix) (($config.target).url_file) }}{{ fail "topology is per-pod, so each Pod has a Redis of its own: leave the address in config.target out" }}{{ end -}}
{{- if gt (int .replicas) (int $values.perPod.maxReplicas) }}{{ fail (printf "topology is per-pod with %d replicas, and perPod.maxReplicas is %d: each takes a replication slot; raise max_replication_slots and max_wal_senders of PostgreSQL and then perPod.maxReplicas, or set topology: shared" (int .replicas) (int $values.perPod.maxReplicas)) }}{{ end -}}
{{- if eq (int $values.perPod.redis.port) (int $values.http.port) }}{{ fail "perPod.redis.port and http.port are the same: the containers of a Pod share its ports" }}{{ end -}}
{{- end -}}
{{- if and $values.gate.enabled (not (include "walrelay.sidecar.native" .)) }}{{ fail "gate.enabled needs a native sidecar, which starts before the gate does: set native: true (Kubernetes 1.29 or newer), or gate.enabled: false" }}{{ end -}}
{{- include "walrelay.checks.config" (dict "ctx" .ctx "values" $values "podLocalRedis" $perPod) -}}
{{- end }}

{{/* The dict of _parts.tpl cannot be returned by a template, so this one hands it on: `part` names who gets it. */}}
{{- define "walrelay.sidecar.part" -}}
{{- $more := "" -}}
{{- if eq .values.topology "per-pod" }}{{ $more = include "walrelay.sidecar.perPodEnv" . }}{{ end -}}
{{- include .part (dict "ctx" .ctx "values" .values "name" (include "walrelay.sidecar.name" .) "prefix" "walrelay-" "version" (include "walrelay.sidecar.version" .) "moreEnv" $more) -}}
{{- end }}

{{- define "walrelay.sidecar.annotations" -}}
{{- include "walrelay.sidecar.part" (merge (dict "part" "walrelay.parts.checksum") .) -}}
{{- end }}

{{- define "walrelay.sidecar.volumes" -}}
{{- include "walrelay.sidecar.part" (merge (dict "part" "walrelay.parts.volumes") .) -}}
{{- if eq .values.topology "per-pod" }}
- name: walrelay-redis-data
  emptyDir: {}
{{- end }}
{{- end }}

{{/* walrelay itself. No preStop: it would run before the application has ended. */}}
{{- define "walrelay.sidecar.container" -}}
- name: walrelay
  {{- if .native }}
  restartPolicy: Always
  {{- end }}
  args:
    - run
    {{- with .values.extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- include "walrelay.sidecar.part" (merge (dict "part" "walrelay.parts.container") .) | nindent 2 }}
  ports:
    - name: walrelay
      containerPort: {{ .values.http.port }}
      protocol: TCP
  {{- range $kind, $path := dict "startup" "/startupz" "liveness" "/livez" "readiness" "/readyz" }}
  {{- with include "walrelay.parts.probe" (dict "values" $.values "kind" $kind "path" $path "port" "walrelay") }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* The Pod's own Redis. It forgets everything with the Pod, as the temporary slot does. */}}
{{- define "walrelay.sidecar.redis" -}}
{{- $redis := .values.perPod.redis -}}
- name: walrelay-redis
  {{- if .native }}
  restartPolicy: Always
  {{- end }}
  image: {{ include "walrelay.parts.image" (dict "image" $redis.image "ctx" .ctx "version" "") }}
  imagePullPolicy: {{ $redis.image.pullPolicy }}
  command: [redis-server]
  args:
    - --bind 127.0.0.1
    - --port {{ $redis.port }}
    - --save ""
    - --appendonly no
    - --maxmemory {{ $redis.maxmemory }}
    - --maxmemory-policy noeviction
  workingDir: /data
  {{- if .native }}
  # It listens on 127.0.0.1, where only a command of the Pod can ask it.
  startupProbe:
    exec:
      command: [redis-cli, -p, {{ $redis.port | quote }}, ping]
    periodSeconds: 1
    timeoutSeconds: 2
    failureThreshold: 60
  {{- end }}
  resources:
    {{- toYaml $redis.resources | nindent 4 }}
  securityContext:
    {{- toYaml $redis.securityContext | nindent 4 }}
  terminationMessagePolicy: FallbackToLogsOnError
  volumeMounts:
    - name: walrelay-redis-data
      mountPath: /data
{{- end }}

{{/* With one Redis for all, the Pod that streams is asked, which may be another one. */}}
{{- define "walrelay.sidecar.gate" -}}
- name: walrelay-gate
  args:
    - wait
    - --caught-up
    - --timeout
    - {{ .values.gate.timeout }}
    {{- if eq .values.topology "shared" }}
    - --url
    - http://{{ include "walrelay.sidecar.name" . }}:{{ .values.http.port }}
    {{- end }}
  {{- include "walrelay.sidecar.part" (merge (dict "part" "walrelay.parts.container") .) | nindent 2 }}
{{- end }}

{{- define "walrelay.sidecar.both" -}}
{{- if eq .values.topology "per-pod" }}
{{ include "walrelay.sidecar.redis" . }}
{{- end }}
{{ include "walrelay.sidecar.container" . }}
{{- end }}

{{- define "walrelay.sidecar.initContainers" -}}
{{- include "walrelay.sidecar.validate" . -}}
{{- if include "walrelay.sidecar.native" . -}}
{{- include "walrelay.sidecar.both" (merge (dict "native" true) .) | trim -}}
{{- if .values.gate.enabled }}
{{ include "walrelay.sidecar.gate" . }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "walrelay.sidecar.containers" -}}
{{- include "walrelay.sidecar.validate" . -}}
{{- if not (include "walrelay.sidecar.native" .) -}}
{{- include "walrelay.sidecar.both" (merge (dict "native" false) .) | trim -}}
{{- end -}}
{{- end }}
