// Reads the objects of one release and validates each as the API server would.
package main

import (
	"bytes"
	"errors"
	"fmt"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/apps"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/batch"
	batchvalidation "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/apis/policy"
	policyvalidation "k8s.io/kubernetes/pkg/apis/policy/validation"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
)

// A Pod, or what Pods are made from.
type pod struct {
	owner  string // as in deployment/shop
	labels map[string]string
	spec   corev1.PodSpec
}

type release struct {
	objects int
	names   map[string]bool // kind/name, as in deployment/shop
	pods    []pod
	parsed  []any // the objects in their versioned types
}

var strict = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)

func documents(text []byte) [][]byte {
	return bytes.Split(append([]byte("\n"), text...), []byte("\n---"))
}

func readRelease(text []byte, found *findings) *release {
	out := &release{names: map[string]bool{}}
	for _, document := range documents(text) {
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal(document, &kind); err != nil {
			found.add("no YAML: %v", err)
			continue
		}
		if kind.Kind == "" {
			continue // only comments
		}
		out.objects++
		out.add(kind, document, found)
	}
	return out
}

func (r *release) add(kind metav1.TypeMeta, document []byte, found *findings) {
	object, err := decode(kind, document)
	if err != nil {
		found.add("%s %s: %v", kind.APIVersion, kind.Kind, err)
		return
	}
	meta := object.(metav1.Object)
	name := lower(kind.Kind) + "/" + meta.GetName()
	if r.names[name] {
		found.add("%s is there twice", name)
	}
	r.names[name] = true
	r.parsed = append(r.parsed, object)
	r.addPods(name, object)
	if meta.GetNamespace() == "" {
		found.add("%s has no namespace", name)
	}
	if kind.APIVersion == "monitoring.coreos.com/v1" {
		return
	}
	internal, _, err := strict.UniversalDecoder().Decode(document, nil, nil)
	if err != nil {
		found.add("%s: %v", name, err)
		return
	}
	for _, mistake := range validate(internal) {
		found.add("%s: %v", name, mistake)
	}
}

func decode(kind metav1.TypeMeta, document []byte) (any, error) {
	if kind.APIVersion != "monitoring.coreos.com/v1" {
		object, _, err := strict.UniversalDeserializer().Decode(document, nil, nil)
		return object, err
	}
	var object any
	switch kind.Kind {
	case "ServiceMonitor":
		object = &monitoring.ServiceMonitor{}
	case "PodMonitor":
		object = &monitoring.PodMonitor{}
	case "PrometheusRule":
		object = &monitoring.PrometheusRule{}
	default:
		return nil, fmt.Errorf("unknown kind")
	}
	text, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, err
	}
	unknown, err := json.UnmarshalStrict(text, object) // names as they are written; encoding/json takes any case
	return object, errors.Join(append(unknown, err)...)
}

func (r *release) addPods(name string, object any) {
	switch typed := object.(type) {
	case *appsv1.Deployment:
		r.pods = append(r.pods, pod{name, typed.Spec.Template.Labels, typed.Spec.Template.Spec})
	case *batchv1.CronJob:
		template := typed.Spec.JobTemplate.Spec.Template
		r.pods = append(r.pods, pod{name, template.Labels, template.Spec})
	case *corev1.Pod:
		r.pods = append(r.pods, pod{name, typed.Labels, typed.Spec})
	}
}

// The API server's validation. A kind that is not here is one that no chart of ours should make: roles, accounts.
func validate(object runtime.Object) field.ErrorList {
	switch typed := object.(type) {
	case *apps.Deployment:
		return appsvalidation.ValidateDeployment(typed, corevalidation.PodValidationOptions{})
	case *batch.CronJob:
		return batchvalidation.ValidateCronJobCreate(typed, corevalidation.PodValidationOptions{})
	case *core.Pod:
		return corevalidation.ValidatePodCreate(typed, corevalidation.PodValidationOptions{})
	case *core.ConfigMap:
		return corevalidation.ValidateConfigMap(typed)
	case *core.Secret:
		return corevalidation.ValidateSecret(typed)
	case *core.Service:
		typed.Spec.ClusterIPs = []string{typed.Spec.ClusterIP} // as the server fills them in before it looks
		return corevalidation.ValidateServiceCreate(typed)
	case *networking.NetworkPolicy:
		return networkingvalidation.ValidateNetworkPolicy(typed, networkingvalidation.NetworkPolicyValidationOptions{})
	case *policy.PodDisruptionBudget:
		return policyvalidation.ValidatePodDisruptionBudget(typed, policyvalidation.PodDisruptionBudgetValidationOptions{})
	}
	return field.ErrorList{field.Forbidden(field.NewPath("kind"), fmt.Sprintf("%T is no kind that a chart of ours makes", object))}
}
