// Names that must fit each other; the API server takes them as they come.
package main

import (
	"maps"
	"slices"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func lower(text string) string { return strings.ToLower(text) }

func fits(selector, labels map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return len(selector) > 0
}

func (r *release) selected(selector map[string]string) []pod {
	return slices.DeleteFunc(slices.Clone(r.pods), func(each pod) bool { return !fits(selector, each.labels) })
}

func (p pod) portNames() []string {
	var names []string
	for _, container := range containersOf(p.spec) {
		for _, port := range container.Ports {
			names = append(names, port.Name)
		}
	}
	return names
}

func checkReferences(r *release, found *findings) {
	for _, each := range r.pods {
		checkMounted(each, r, found)
		checkVariables(each, found)
	}
	for _, object := range r.parsed {
		switch typed := object.(type) {
		case *corev1.Service:
			checkService(typed, r, found)
		case *policyv1.PodDisruptionBudget:
			checkSelects("poddisruptionbudget/"+typed.Name, typed.Spec.Selector.MatchLabels, r, 1, found)
		case *networkingv1.NetworkPolicy:
			checkSelects("networkpolicy/"+typed.Name, typed.Spec.PodSelector.MatchLabels, r, len(r.pods), found)
		case *monitoring.PodMonitor:
			checkPodMonitor(typed, r, found)
		case *monitoring.ServiceMonitor:
			checkServiceMonitor(typed, r, found)
		}
	}
}

func checkSelects(name string, selector map[string]string, r *release, want int, found *findings) {
	if have := len(r.selected(selector)); have != want {
		found.add("%s selects %d kinds of Pods, not %d", name, have, want)
	}
}

// Objects of the release bear its name; others are the user's.
func checkMounted(each pod, r *release, found *findings) {
	for _, volume := range each.spec.Volumes {
		name := ""
		if volume.ConfigMap != nil {
			name = "configmap/" + volume.ConfigMap.Name
		} else if volume.Secret != nil {
			name = "secret/" + volume.Secret.SecretName
		}
		if strings.Contains(name, "walrelay") && !r.names[name] {
			found.add("%s mounts %s, which is not there", each.owner, name)
		}
	}
}

func checkVariables(each pod, found *findings) {
	for _, container := range containersOf(each.spec) {
		seen := map[string]bool{}
		for _, variable := range container.Env {
			if seen[variable.Name] {
				found.add("%s, container %s: %s is set twice", each.owner, container.Name, variable.Name)
			}
			seen[variable.Name] = true
		}
	}
}

func checkService(service *corev1.Service, r *release, found *findings) {
	name := "service/" + service.Name
	checkSelects(name, service.Spec.Selector, r, 1, found)
	for _, each := range r.selected(service.Spec.Selector) {
		for _, port := range service.Spec.Ports {
			if port.TargetPort.Type == intstr.String && !slices.Contains(each.portNames(), port.TargetPort.StrVal) {
				found.add("%s: %s has no port %s", name, each.owner, port.TargetPort.StrVal)
			}
		}
	}
}

func checkPodMonitor(monitor *monitoring.PodMonitor, r *release, found *findings) {
	name := "podmonitor/" + monitor.Name
	checkSelects(name, monitor.Spec.Selector.MatchLabels, r, 1, found)
	for _, each := range r.selected(monitor.Spec.Selector.MatchLabels) {
		for _, endpoint := range monitor.Spec.PodMetricsEndpoints {
			if endpoint.Port == nil || !slices.Contains(each.portNames(), *endpoint.Port) {
				found.add("%s: %s has no such port", name, each.owner)
			}
		}
	}
}

func checkServiceMonitor(monitor *monitoring.ServiceMonitor, r *release, found *findings) {
	matches := 0
	for _, object := range r.parsed {
		service, is := object.(*corev1.Service)
		if !is || !fits(monitor.Spec.Selector.MatchLabels, service.Labels) {
			continue
		}
		matches++
		ports := map[string]bool{}
		for _, port := range service.Spec.Ports {
			ports[port.Name] = true
		}
		for _, endpoint := range monitor.Spec.Endpoints {
			if !ports[endpoint.Port] {
				found.add("servicemonitor/%s: service/%s has no port %s, only %v", monitor.Name, service.Name, endpoint.Port,
					slices.Sorted(maps.Keys(ports)))
			}
		}
	}
	if matches != 1 {
		found.add("servicemonitor/%s selects %d Services, not 1", monitor.Name, matches)
	}
}
