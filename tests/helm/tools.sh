# Sourced by the other scripts here: finds Go, and the Helm that they use, built by `go install` into build/tools. Where Go is
# missing or too old the caller ends with 77, which ctest takes for skipped.
#
#   HELM_VERSION=v4.3.2 tests/helm/lint.sh      with another version
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
helm_version=${HELM_VERSION:-v3.22.0}
tools=${WALRELAY_TOOLS:-$root/build/tools}
kube_version=1.33.0 # what `helm template` takes the cluster for

needed=$(sed -n 's/^go //p' "$root/tests/helm/validate/go.mod")
have=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed 's/^go//') || have=
if [ -z "$have" ] || [ "$(printf '%s\n' "$needed" "$have" | sort -V | head -n 1)" != "$needed" ]; then
  printf 'skipped: this needs Go %s or newer; there is %s\n' "$needed" "${have:-none}"
  exit 77
fi

# Helm that was not built by its own Makefile takes the cluster for 1.20; the linker says better.
build_helm() {
  local module=helm.sh/helm/${helm_version%%.*} package=chartutil
  case $helm_version in
    v3.*) package=pkg/chartutil ;;
    v4.*) package=pkg/chart/common ;;
  esac
  local constant="$module/$package.k8sVersion"
  GOBIN=$1 go install -ldflags "-s -w -X ${constant}Major=1 -X ${constant}Minor=33" "$module/cmd/helm@$helm_version"
}

# Two tests may want it at once.
helm_folder=$tools/helm-$helm_version
mkdir -p "$helm_folder"
(
  flock 9
  [ -x "$helm_folder/helm" ] || build_helm "$helm_folder"
) 9>"$helm_folder/lock"
helm=$helm_folder/helm

# What Helm keeps of its own goes into a folder that goes away; nothing of the user's is read.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export HELM_CACHE_HOME=$scratch/cache HELM_CONFIG_HOME=$scratch/config HELM_DATA_HOME=$scratch/data KUBECONFIG=$scratch/none

# The charts, copied, the example with its dependency: the working tree stays as it is.
charts=$scratch/helm
cp -r "$root/helm" "$charts"
rm -rf "$charts"/*/charts
"$helm" dependency update "$charts/example-application" >/dev/null

# What is compared word by word, and refused by name, has rules and a dashboard that stay the same.
use_fixtures() {
  rm -rf "$charts/walrelay/prometheus_rules" "$charts/walrelay/dashboards"
  cp -r "$root/tests/helm/monitoring"/* "$charts/walrelay/"
}

# The cases of each chart: its name, a space and the file with values.
cases() {
  local chart file
  for chart in walrelay example-application; do
    for file in "$charts/$chart"/ci/*-values.yaml; do printf '%s %s\n' "$chart" "$file"; done
  done
}

# render CHART FILE [MORE...]: as an installation named shop in the namespace shop.
render() {
  local chart=$1 file=$2
  shift 2
  "$helm" template shop "$charts/$chart" --namespace shop --kube-version "$kube_version" --values "$file" "$@"
}
