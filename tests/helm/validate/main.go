// What a cluster would say of rendered charts, without one: reads YAML files and judges every object in them.
//
//	objects      Kubernetes' own types, strictly: no unknown field; then the API server's own validation
//	security     the Pod Security Standard "restricted", for every Pod
//	references   names that must fit each other: selectors, ports, mounted ConfigMaps and Secrets
//	notes        the commands that NOTES.txt prints, against the objects they name
//
// Usage: validate [-notes FILE] FILE..., or validate -kustomize FOLDER. A file is one release. Prints every mistake, one a line, and exits 1.
package main

import (
	"flag"
	"fmt"
	"os"
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

func main() {
	notes := flag.String("notes", "", "what helm install prints")
	kustomization := flag.String("kustomize", "", "build this folder, and print and judge what comes of it")
	flag.Parse()
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
