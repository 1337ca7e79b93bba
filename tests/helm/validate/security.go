// The Pod Security Standard "restricted", by the code of the admission controller, and what we promise beyond it.
package main

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func checkSecurity(r *release, found *findings) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		found.add("the standard cannot be evaluated: %v", err)
		return
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, each := range r.pods {
		meta := metav1.ObjectMeta{Labels: each.labels}
		for _, result := range evaluator.EvaluatePod(restricted, &meta, &each.spec) {
			if !result.Allowed {
				found.add("%s is not restricted: %s (%s)", each.owner, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
		if each.spec.AutomountServiceAccountToken == nil || *each.spec.AutomountServiceAccountToken {
			found.add("%s gets a token for the API server", each.owner)
		}
		for _, container := range containersOf(each.spec) {
			checkContainer(each.owner, container, found)
		}
	}
}

// Container by container, because the standard lets the Pod speak for its containers and a sidecar cannot rely on that.
func checkContainer(owner string, container corev1.Container, found *findings) {
	context := container.SecurityContext
	if context == nil || context.RunAsNonRoot == nil || !*context.RunAsNonRoot || context.SeccompProfile == nil {
		found.add("%s, container %s: leaves its user or its seccomp profile to the Pod", owner, container.Name)
	}
	if context == nil || context.ReadOnlyRootFilesystem == nil || !*context.ReadOnlyRootFilesystem {
		found.add("%s, container %s: may write to its image", owner, container.Name)
	}
	if container.Resources.Limits.Memory().IsZero() || container.Resources.Requests.Cpu().IsZero() {
		found.add("%s, container %s: has no memory limit or asks for no CPU", owner, container.Name)
	}
	if !container.Resources.Limits.Cpu().IsZero() {
		found.add("%s, container %s: has a CPU limit", owner, container.Name)
	}
	if container.Lifecycle != nil {
		found.add("%s, container %s: has a lifecycle hook; preStop would run before the application has ended", owner, container.Name)
	}
}

func containersOf(spec corev1.PodSpec) []corev1.Container {
	return append(append([]corev1.Container{}, spec.InitContainers...), spec.Containers...)
}
