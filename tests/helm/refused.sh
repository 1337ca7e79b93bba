#!/usr/bin/env bash
# Values that contradict each other, or that the schema does not know, end `helm template` with a sentence that says what to
# do. Each case: the chart, the sentence (a part of what is printed), and flags that are added to values that are good.
set -euo pipefail
source "$(dirname "$0")/tools.sh"

use_fixtures
status=0
count=0

# refused CHART SENTENCE FLAG...
refused() {
  local chart=$1 sentence=$2 said
  shift 2
  count=$((count + 1))
  local file=$charts/$chart/ci/default-values.yaml
  [ "$chart" = walrelay ] || file=$charts/$chart/ci/shared-values.yaml
  if said=$(render "$chart" "$file" "$@" 2>&1 >"$scratch/out"); then
    printf 'not refused: %s %s\n' "$chart" "$*"
    status=1
  elif [[ $said != *"$sentence"* ]]; then
    printf 'refused with other words: %s %s\n  wanted: %s\n  said: %s\n' "$chart" "$*" "$sentence" "$said"
    status=1
  fi
}

no_postgres=(--set postgres.existingSecret.name=)
no_redis=(--set redis.host=)

# What is missing.
refused walrelay "there is no configuration: give walrelay.yaml with --set-file" --set config=null
refused walrelay "config is an empty text" --set config.mappings=null --set-string config=
refused walrelay "nothing says where PostgreSQL is" "${no_postgres[@]}"
refused walrelay "nothing says where Redis is" "${no_redis[@]}"
refused walrelay "postgres has no password" "${no_postgres[@]}" --set postgres.host=db
refused walrelay "rebuild.enabled needs a token" --set http.generateToken=false

# What is said twice, or twice differently.
refused walrelay "config and existingConfigMap.name are both given" --set existingConfigMap.name=own
refused walrelay "both say where PostgreSQL is" --set postgres.host=db --set postgres.existingSecret.uriKey=uri
refused walrelay "postgres.host and postgres.existingSecret.hostKey are both given" \
  --set postgres.host=db --set postgres.existingSecret.hostKey=host --set postgres.existingSecret.passwordKey=password
refused walrelay "postgres and config.source both say where PostgreSQL is" --set config.source.host=db
refused walrelay "redis and config.target both say where Redis is" --set config.target.host=redis
refused walrelay "the URI of existingSecret.uriKey and redis.host both say" \
  --set redis.existingSecret.name=r --set redis.existingSecret.uriKey=uri
refused walrelay "postgres.passwordless is set beside a password" --set postgres.passwordless=true \
  --set postgres.host=db
refused walrelay "config.http.listen: the chart sets the address" --set config.http.listen=127.0.0.1:1
refused walrelay "config.http: the token comes from a Secret" --set config.http.token_file=/token
refused walrelay "podMonitor and serviceMonitor are both enabled" \
  --set podMonitor.enabled=true --set serviceMonitor.enabled=true

# Secrets where everybody reads them.
refused walrelay "config.source.password would stand readable in a ConfigMap" --set config.source.password=secret
refused walrelay "config.http.token would stand readable" --set config.http.token=secret
refused walrelay "config.source.url holds a password" "${no_postgres[@]}" --set config.source.url=postgres://u:p@h/d
refused walrelay "config.target.url holds a password" "${no_redis[@]}" --set config.target.url=redis://:p@h
refused walrelay "config.source.url holds a password" "${no_postgres[@]}" --set config.source.url="host=h password=p"

# TLS by halves.
refused walrelay "postgres.tls: a client certificate needs" --set postgres.tls.certificateKey=tls.crt
refused walrelay "postgres.sslmode is disable" --set postgres.tls.existingSecret=ca --set postgres.sslmode=disable
refused walrelay "redis.tls.enabled is false" --set redis.tls.existingSecret=ca
refused walrelay "redis.tls: a client certificate needs" --set redis.tls.enabled=true --set redis.tls.keyKey=tls.key

# YAML that is not what it seems.
printf 'mappings: [' >"$scratch/broken.yaml"
refused walrelay "config is no YAML map" --set-file config="$scratch/broken.yaml"
printf 'config: {mappings: [{table: t, write: {stream: {key: k, on: insert}}}]}\n' >"$scratch/on.yaml"
refused walrelay "put the key into quotes" --values "$scratch/on.yaml"

# A standby, and what would stop the drain of a node.
refused walrelay "replicas is 3: one walrelay streams and one stands by" --set replicas=3
refused walrelay "replicas is 2 and strategy.type is Recreate" --set replicas=2 --set strategy.type=Recreate
budget=(--set podDisruptionBudget.enabled=true)
refused walrelay "minAvailable is 1 and replicas is 1: no node could be drained" "${budget[@]}" \
  --set podDisruptionBudget.minAvailable=1
refused walrelay "minAvailable is 100%" "${budget[@]}" --set podDisruptionBudget.minAvailable=100% --set replicas=2
refused walrelay "both minAvailable and maxUnavailable" "${budget[@]}" \
  --set podDisruptionBudget.minAvailable=1 --set podDisruptionBudget.maxUnavailable=1 --set replicas=2
refused walrelay "maxUnavailable is 0: no node could be drained" "${budget[@]}" --set podDisruptionBudget.maxUnavailable=0

# Alerts that do not exist.
refused walrelay "excludeRules names NoSuchAlert, which is no alert of this chart; there are: FixtureLag" \
  --set prometheusRule.enabled=true --set 'prometheusRule.excludeRules={NoSuchAlert}'
refused walrelay "thresholds.FixtureLag has no minutes; there are: bytes, seconds" \
  --set prometheusRule.enabled=true --set prometheusRule.thresholds.FixtureLag.minutes=1
refused walrelay "thresholds names NoSuchAlert, which is no alert with a threshold; there are: FixtureLag, FixtureRatio" \
  --set prometheusRule.enabled=true --set prometheusRule.thresholds.NoSuchAlert.seconds=1

# The sidecar.
per_pod=(--set walrelay.topology=per-pod)
refused example-application "each Pod has a Redis of its own: leave redis.host" "${per_pod[@]}"
per_pod+=(--set walrelay.redis.host=)
refused example-application "each Pod has a temporary slot of its own name" "${per_pod[@]}" \
  --set walrelay.config.source.slot=mine
refused example-application "leave the address in config.target out" "${per_pod[@]}" \
  --set walrelay.config.target.host=redis
refused example-application "per-pod with 11 replicas, and perPod.maxReplicas is 10" "${per_pod[@]}" --set replicas=11
refused example-application "perPod.redis.port and http.port are the same" "${per_pod[@]}" \
  --set walrelay.perPod.redis.port=9847
refused example-application "gate.enabled needs a native sidecar" --set walrelay.native=false
refused example-application "gate.enabled needs a native sidecar" --kube-version 1.28.0
refused example-application "nothing says where PostgreSQL is" --set walrelay.postgres.existingSecret.name=
refused example-application "nothing says where Redis is" --set walrelay.redis.host=

# The schemas: unknown keys, wrong types, values that are not in the list. Helm 3 and 4 word this differently.
refused walrelay "replcas" --set replcas=1
refused walrelay "unknown" --set postgres.unknown=1
refused walrelay "replicas" --set-string replicas=two
refused walrelay "port" --set http.port=70000
refused walrelay "pullPolicy" --set image.pullPolicy=Sometimes
refused walrelay "sslmode" --set postgres.sslmode=maybe
refused walrelay "digest" --set image.digest=latest
refused walrelay "interval" --set serviceMonitor.interval=often
refused walrelay "enabled" --set-string networkPolicy.enabled=maybe
refused walrelay "schedule" --set rebuild.schedule=
refused example-application "topology" --set walrelay.topology=pod
refused example-application "timeout" --set walrelay.gate.timeout=10
refused example-application "nativ" --set walrelay.nativ=true
refused example-application "maxmemory" --set walrelay.perPod.redis.maxmemory=lots

# The good values are good, also as a part of another chart.
render walrelay "$charts/walrelay/ci/default-values.yaml" --set global.imageRegistry=r --set enabled=true >"$scratch/out"
grep -q 'image: r/walrelay:' "$scratch/out" || {
  printf 'global.imageRegistry has no effect\n'
  status=1
}
printf '%s cases\n' "$count"
exit $status
