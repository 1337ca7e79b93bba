#!/usr/bin/env bash
# What the charts render passes Kubernetes' own validation, the Pod Security Standard "restricted" and our own look at names
# that must fit each other (validate/); so do the plain YAML, the kustomization and the commands that NOTES.txt prints.
set -euo pipefail
source "$(dirname "$0")/tools.sh"

(cd "$root/tests/helm/validate" && go build -o "$scratch/validate" .)
validate=$scratch/validate
status=0

# Without a cluster Helm shows no notes, so they are rendered as the text of an object.
cp -r "$charts/walrelay" "$charts/with-notes"
{
  printf '{{- define "notes" }}\n'
  cat "$charts/walrelay/templates/NOTES.txt"
  printf '{{- end }}\n'
} >"$charts/with-notes/templates/_notes.tpl"
printf 'notes: |\n  {{- include "notes" . | nindent 2 }}\n' >"$charts/with-notes/templates/notes.yaml"
render_notes() {
  render with-notes "$1" --show-only templates/notes.yaml | sed -n '1,/^notes:/d; s/^  //p'
}

while read -r chart file; do
  name=$chart-$(basename "$file" -values.yaml)
  render "$chart" "$file" >"$scratch/$name.yaml"
  notes=()
  if [ "$chart" = walrelay ] && [ "$name" != walrelay-elsewhere ]; then
    render_notes "$file" >"$scratch/notes"
    notes=(-notes "$scratch/notes")
  fi
  "$validate" "${notes[@]}" "$scratch/$name.yaml" || status=1
done < <(cases)
"$validate" "$root/deploy/kubernetes/walrelay.yaml" || status=1
"$validate" -kustomize "$root/deploy/kustomize/example" >"$scratch/kustomized" || status=1
tail -n 1 "$scratch/kustomized"

# fault WORDS FILE SED: with such a fault in it this is said, and the exit status is 1.
fault() {
  sed -E "$3" "$scratch/$2.yaml" >"$scratch/fault.yaml"
  if cmp -s "$scratch/$2.yaml" "$scratch/fault.yaml" || "$validate" "$scratch/fault.yaml" >"$scratch/said" ||
    ! grep -qF -- "$1" "$scratch/said"; then
    printf 'not found in %s: %s\n' "$2" "$1"
    status=1
  fi
}
fault 'unknown field "spec.template.spec.containers[0].terminationMesagePolicy"' walrelay-default \
  's/terminationMessagePolicy:/terminationMesagePolicy:/'
fault 'containerPort: Invalid value: 98470' walrelay-default 's/containerPort: 9847/containerPort: 98470/'
fault 'volumeMounts[0].name: Not found: "konfig"' walrelay-default '0,/- name: config/s//- name: konfig/'
fault 'has no port https' walrelay-default 's/targetPort: http/targetPort: https/'
fault 'is not restricted: runAsUser=0' walrelay-default 's/runAsUser: 65532/runAsUser: 0/'
fault 'container walrelay-gate: leaves its user or its seccomp profile to the Pod' example-application-shared \
  '/name: walrelay-gate/,/volumeMounts/{/seccompProfile:/,+1d}'
fault 'is not restricted: allowPrivilegeEscalation != false' example-application-per-pod \
  's/allowPrivilegeEscalation: false/allowPrivilegeEscalation: true/'
fault 'may write to its image' walrelay-parts '/readOnlyRootFilesystem/d'
fault 'has no memory limit' walrelay-parts '/memory: 128Mi/d'
fault 'preStop would run before' example-application-shared \
  's/^( +)(terminationMessagePolicy: .*)$/\1\2\n\1lifecycle: {preStop: {exec: {command: [walrelay]}}}/'
fault 'gets a token for the API server' walrelay-default \
  's/automountServiceAccountToken: false/automountServiceAccountToken: true/'
fault 'mounts configmap/shop-walrelay, which is not there' walrelay-default \
  '/^kind: ConfigMap/,/^data/s/name: shop-walrelay$/name: shop-other/'
fault 'poddisruptionbudget/shop-walrelay selects 0 kinds of Pods, not 1' walrelay-everything \
  '/^kind: PodDisruptionBudget/,/^---/s/component: relay/component: rely/'
fault 'service/shop-walrelay selects 0 kinds of Pods' example-application-shared \
  '/^kind: Service/,/^---/s/name: example-application/name: other/'
fault 'unknown field "spec.endpoints[0].scrapeTimeOut"' walrelay-everything 's/scrapeTimeout:/scrapeTimeOut:/'
fault 'podmonitor/shop-walrelay: deployment/shop has no such port' example-application-shared 's/- port: walrelay$/- port: metrics/'
fault 'restartPolicy: Unsupported value: "Sometimes"' example-application-shared \
  's/restartPolicy: Always/restartPolicy: Sometimes/'
fault 'is set twice' walrelay-default 's/name: WALRELAY_TARGET_HOST/name: WALRELAY_CONFIG/'
exit $status
