// The commands that NOTES.txt prints: each must be of a form known here, and name objects, containers, ports and labels that
// the release has.
package main

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

type command struct {
	words []string
	flags map[string]string
	rest  []string // behind --
}

var withoutValue = map[string]bool{"logs": true}

func parse(line string) command {
	out := command{flags: map[string]string{}}
	words := strings.Fields(line)
	for i := 0; i < len(words); i++ {
		name, isFlag := strings.CutPrefix(words[i], "--")
		switch {
		case words[i] == "--":
			out.rest = words[i+1:]
			return out
		case !isFlag:
			out.words = append(out.words, words[i])
		case strings.Contains(name, "="):
			key, value, _ := strings.Cut(name, "=")
			out.flags[key] = value
		case withoutValue[name] || i+1 == len(words):
			out.flags[name] = ""
		default:
			i++
			out.flags[name] = words[i]
		}
	}
	return out
}

func checkNotes(text string, r *release, found *findings) {
	lines := regexp.MustCompile(`(?m)^ +((kubectl|helm) .*)$`).FindAllStringSubmatch(text, -1)
	if len(lines) == 0 {
		found.add("NOTES.txt prints no command")
	}
	for _, line := range lines {
		checkCommand(line[1], r, found)
	}
}

func checkCommand(line string, r *release, found *findings) {
	c := parse(line)
	wrong := func(what string) { found.add("NOTES.txt: %s: %s", what, line) }
	verb := strings.Join(c.words[:min(2, len(c.words))], " ")
	switch verb {
	case "helm test":
		if !hasTest(r) {
			wrong("there is no test")
		}
		return
	case "kubectl rollout", "kubectl exec", "kubectl port-forward":
		target := c.words[len(c.words)-1]
		if verb == "kubectl port-forward" {
			target = c.words[2]
		}
		if !r.names[target] {
			wrong("there is no " + target)
		}
		if verb == "kubectl exec" && (len(c.rest) < 2 || c.rest[0] != "walrelay") {
			wrong("it runs no command of walrelay")
		}
	case "kubectl logs":
		checkLogs(c, r, wrong)
	case "kubectl create":
		if from := c.flags["from"]; !r.names[from] {
			wrong("there is no " + from)
		}
		if len(validation.IsDNS1123Label(c.words[len(c.words)-1])) > 0 {
			wrong("the Job's name is not valid")
		}
	default:
		wrong("no form of command that is checked")
	}
	if c.flags["namespace"] == "" {
		wrong("it names no namespace")
	}
	if name, given := c.flags["container"]; given && !hasContainer(r, name) {
		wrong("there is no container " + name)
	}
	if _, port, given := strings.Cut(c.words[len(c.words)-1], ":"); given && !hasPort(r, port) {
		wrong("there is no port " + port)
	}
}

func checkLogs(c command, r *release, wrong func(string)) {
	selector, err := labels.ConvertSelectorToLabelsMap(c.flags["selector"])
	if err != nil || len(r.selected(selector)) != 1 {
		wrong("the selector fits not one kind of Pods")
	}
}

func hasTest(r *release) bool {
	for name := range r.names {
		if strings.HasPrefix(name, "pod/") {
			return true
		}
	}
	return false
}

func hasContainer(r *release, name string) bool {
	for _, each := range r.pods {
		for _, container := range containersOf(each.spec) {
			if container.Name == name {
				return true
			}
		}
	}
	return false
}

func hasPort(r *release, name string) bool {
	for _, each := range r.pods {
		for _, port := range each.portNames() {
			if port == name {
				return true
			}
		}
	}
	return false
}
