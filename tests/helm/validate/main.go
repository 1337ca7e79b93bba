// What a cluster would say of rendered charts, without one: reads YAML files and judges every object in them.
//
//	objects      Kubernetes' own types, strictly: no unknown field; then the API server's own validation
//	security     the Pod Security Standard "restricted", for every Pod
//	references   names that must fit each other: selectors, ports, mounted ConfigMaps and Secrets
//	notes        the commands that NOTES.txt prints, against the objects they name
//
// Usage: validate [-notes FILE] FILE..., or validate -kustomize FOLDER. A file is one release. Prints every mistake, one a
// line, and exits 1. validate -json prints the YAML of its standard input as an array, for those who read no YAML.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"sigs.k8s.io/yaml"
)

type findings struct {
	file  string
	count int
}

func (f *findings) add(format string, arguments ...any) {
	f.count++
	fmt.Printf("%s: %s\n", f.file, fmt.Sprintf(format, arguments...))
}

func judge(name string, text []byte, notes string) int {
	found := &findings{file: name}
	release := readRelease(text, found)
	checkSecurity(release, found)
	checkReferences(release, found)
	if notes != "" {
		text, err := os.ReadFile(notes)
		if err != nil {
			found.add("%v", err)
		} else {
			checkNotes(string(text), release, found)
		}
	}
	fmt.Printf("%s: %d objects, %d Pods, %d mistakes\n", name, release.objects, len(release.pods), found.count)
	return found.count
}

func printJSON(from io.Reader, to io.Writer) error {
	text, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	var objects []json.RawMessage
	for _, document := range documents(text) {
		object, err := yaml.YAMLToJSONStrict(document)
		if err != nil {
			return err
		}
		if string(object) != "null" {
			objects = append(objects, object)
		}
	}
	return json.NewEncoder(to).Encode(objects)
}

func main() {
	notes := flag.String("notes", "", "what helm install prints")
	kustomization := flag.String("kustomize", "", "build this folder, and print and judge what comes of it")
	asJSON := flag.Bool("json", false, "print standard input as JSON")
	flag.Parse()
	if *asJSON {
		if err := printJSON(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	mistakes := 0
	if *kustomization != "" {
		text, err := build(*kustomization)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Stdout.Write(text)
		fmt.Println("---")
		mistakes += judge("# "+*kustomization, text, "")
	}
	for _, file := range flag.Args() {
		text, err := os.ReadFile(file)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		mistakes += judge(file, text, *notes)
	}
	if mistakes > 0 {
		os.Exit(1)
	}
}
