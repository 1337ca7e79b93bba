{{/*
Values that contradict each other, each with a sentence that says what to do. Takes the same dict as _parts.tpl, and
like that file stands in both charts.
*/}}

{{/* Names of the variables in extraEnv. */}}
{{- define "walrelay.checks.variables" -}}
{{- if kindIs "map" .values.extraEnv -}}
{{ keys .values.extraEnv | sortAlpha | join " " }}
{{- else -}}
{{- range .values.extraEnv }}{{ .name }} {{ end -}}
{{- end -}}
{{- end }}

{{- define "walrelay.checks.config" -}}
{{- $config := dict -}}
{{- if .values.existingConfigMap.name -}}
{{- if .values.config }}{{ fail "config and existingConfigMap.name are both given: keep one of them" }}{{ end -}}
{{- else -}}
{{- if kindIs "invalid" .values.config }}{{ fail "there is no configuration: give walrelay.yaml with --set-file config=walrelay.yaml, write it into config, or name a ConfigMap in existingConfigMap.name" }}{{ end -}}
{{- $text := include "walrelay.parts.configText" . -}}
{{- if and (kindIs "string" .values.config) (not (trim $text)) }}{{ fail "config is an empty text: give walrelay.yaml with --set-file config=walrelay.yaml; {} stands for the defaults" }}{{ end -}}
{{- $config = fromYaml $text -}}
{{- if and (hasKey $config "Error") (eq (len $config) 1) }}{{ fail (printf "config is no YAML map: %s" $config.Error) }}{{ end -}}
{{- if and (kindIs "map" .values.config) (regexMatch `(?m)^\s*(- )?"?(true|false)"?:` $text) }}{{ fail "config: YAML has read a key (on, off, yes or no) as true or false: put the key into quotes, as in \"on\": insert, or give the file as a text with --set-file config=walrelay.yaml" }}{{ end -}}
{{- include "walrelay.checks.plainSecrets" (dict "config" $config) -}}
{{- if (($config.http).listen) }}{{ fail "config.http.listen: the chart sets the address, say it in http.host and http.port" }}{{ end -}}
{{- if or (($config.http).token) (($config.http).token_file) }}{{ fail "config.http: the token comes from a Secret, name it in http.existingSecret" }}{{ end -}}
{{- end -}}
{{- include "walrelay.checks.postgres" (dict "config" $config "values" .values "podLocalRedis" .podLocalRedis) -}}
{{- include "walrelay.checks.redis" (dict "config" $config "values" .values "podLocalRedis" .podLocalRedis) -}}
{{- if and .values.http.existingSecret.name (not .values.http.existingSecret.key) }}{{ fail "http.existingSecret.name is given without a key: say in http.existingSecret.key which key holds the token" }}{{ end -}}
{{- end }}

{{/* Everybody who may look at the namespace can read a ConfigMap. */}}
{{- define "walrelay.checks.plainSecrets" -}}
{{- range $side, $home := dict "source" "postgres.existingSecret" "target" "redis.existingSecret" "http" "http.existingSecret" -}}
{{- $part := get $.config $side | default dict -}}
{{- range $key := list "password" "sslpassword" "token" -}}
{{- with get $part $key -}}
{{- if not (hasPrefix "$" (toString .)) }}{{ fail (printf "config.%s.%s would stand readable in a ConfigMap: put it into a Secret and name that in %s" $side $key $home) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if regexMatch `(://[^/@:]*:[^@$/][^@]*@)|(password=[^$&\s])` (get $part "url" | default "" | toString) }}{{ fail (printf "config.%s.url holds a password and would stand readable in a ConfigMap: put the URL into a Secret and name that in %s" $side $home) }}{{ end -}}
{{- end -}}
{{- end }}

{{- define "walrelay.checks.postgres" -}}
{{- $postgres := .values.postgres -}}
{{- $keys := include "walrelay.parts.postgresKeys" . | fromYaml -}}
{{- $source := .config.source | default dict -}}
{{- $variables := include "walrelay.checks.variables" . -}}
{{- $elsewhere := or .values.existingConfigMap.name .values.extraEnvFrom (regexMatch `\b(WALRELAY_SOURCE_(URL|HOST|SERVICE)|DATABASE_URL|PG_URL|PGHOST|PGSERVICE)` $variables) -}}
{{- $inConfig := or $source.url $source.url_file $source.host $source.service -}}
{{- $here := or $postgres.host $keys.hostKey $keys.uriKey -}}
{{- if and $keys.uriKey (or $postgres.host $keys.hostKey) }}{{ fail "postgres: the URI of existingSecret.uriKey and a host both say where PostgreSQL is: keep one of them" }}{{ end -}}
{{- if and $postgres.host $keys.hostKey }}{{ fail "postgres.host and postgres.existingSecret.hostKey are both given: keep one of them" }}{{ end -}}
{{- if and $here $inConfig }}{{ fail "postgres and config.source both say where PostgreSQL is: keep one of them" }}{{ end -}}
{{- if not (or $here $inConfig $elsewhere) }}{{ fail "nothing says where PostgreSQL is: name a Secret with its URI in postgres.existingSecret.name, or give postgres.host, user, database and a Secret with the password" }}{{ end -}}
{{- $password := or $keys.passwordKey $keys.uriKey $postgres.passwordless $postgres.tls.certificateKey $elsewhere (contains "PASSWORD" $variables) (contains "PGPASSFILE" $variables) -}}
{{- if and $here (not $password) }}{{ fail "postgres has no password: name a Secret with one in postgres.existingSecret, or a client certificate in postgres.tls; where the server asks for neither set postgres.passwordless" }}{{ end -}}
{{- if and $postgres.passwordless $keys.passwordKey }}{{ fail "postgres.passwordless is set beside a password of postgres.existingSecret: keep one of them" }}{{ end -}}
{{- if and (or $postgres.tls.certificateKey $postgres.tls.keyKey) (not (and $postgres.tls.existingSecret $postgres.tls.certificateKey $postgres.tls.keyKey)) }}{{ fail "postgres.tls: a client certificate needs existingSecret, certificateKey and keyKey" }}{{ end -}}
{{- if and $postgres.tls.existingSecret (eq $postgres.sslmode "disable") }}{{ fail "postgres.tls.existingSecret is given and postgres.sslmode is disable: keep one of them" }}{{ end -}}
{{- end }}

{{- define "walrelay.checks.redis" -}}
{{- $redis := .values.redis -}}
{{- $keys := include "walrelay.parts.redisKeys" . | fromYaml -}}
{{- $target := .config.target | default dict -}}
{{- $elsewhere := or .values.existingConfigMap.name .values.extraEnvFrom (regexMatch `\b(WALRELAY_TARGET_(URL|HOST|UNIX)|REDIS_URL)` (include "walrelay.checks.variables" .)) -}}
{{- $inConfig := or $target.url $target.url_file $target.host $target.unix -}}
{{- $here := or $redis.host $keys.uriKey -}}
{{- if and $keys.uriKey $redis.host }}{{ fail "redis: the URI of existingSecret.uriKey and redis.host both say where Redis is: keep one of them" }}{{ end -}}
{{- if and $here $inConfig }}{{ fail "redis and config.target both say where Redis is: keep one of them" }}{{ end -}}
{{- if not (or $here $inConfig $elsewhere .podLocalRedis) }}{{ fail "nothing says where Redis is: give redis.host, or name a Secret with its URI in redis.existingSecret.name" }}{{ end -}}
{{- if and (or $redis.tls.certificateKey $redis.tls.keyKey) (not (and $redis.tls.existingSecret $redis.tls.certificateKey $redis.tls.keyKey)) }}{{ fail "redis.tls: a client certificate needs existingSecret, certificateKey and keyKey" }}{{ end -}}
{{- if and $redis.tls.existingSecret (not $redis.tls.enabled) }}{{ fail "redis.tls.existingSecret is given and redis.tls.enabled is false: keep one of them" }}{{ end -}}
{{- end }}
