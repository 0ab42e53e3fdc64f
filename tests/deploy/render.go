// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// usage: render CHART [KEY=VALUE | VALUES-FILE]...
//
// Renders a Helm chart by what Helm itself is made of: Go's text/template, sprig's functions, sigs.k8s.io/yaml, and
// gojsonschema for values.schema.json. Prints the objects, and at the end the notes, as comments.
//
// A KEY with dots is a path into the values (image.tag=1), and VALUE is YAML. Keys in capitals are about the release
// and the cluster: RELEASE=bramble NAMESPACE=bramble KUBE=v1.20.0. Exits with 1, and says why, if Helm would refuse.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/xeipuuv/gojsonschema"
	"sigs.k8s.io/yaml"
)

type values = map[string]interface{}

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "render: %s: %v\n", what, err)
		os.Exit(1)
	}
}

func read(path string) (tree values) {
	data, err := os.ReadFile(path)
	check(path, err)
	check(path, yaml.Unmarshal(data, &tree))
	return tree
}

// merge puts the values of b over those of a, as Helm does: null takes a value away.
func merge(a, b values) {
	for key, value := range b {
		below, isMap := value.(values)
		old, wasMap := a[key].(values)
		switch {
		case value == nil:
			delete(a, key)
		case isMap && wasMap:
			merge(old, below)
		default:
			a[key] = value
		}
	}
}

// at makes the tree that has value at a path with dots.
func at(path string, value interface{}) values {
	parts := strings.Split(path, ".")
	for i := len(parts) - 1; i >= 0; i-- {
		value = values{parts[i]: value}
	}
	return value.(values)
}

func validate(schema string, tree values) error {
	result, err := gojsonschema.Validate(gojsonschema.NewReferenceLoader("file://"+schema), gojsonschema.NewGoLoader(tree))
	if err != nil || result.Valid() {
		return err
	}
	return fmt.Errorf("%v", result.Errors())
}

// functions are sprig's and Helm's own, without those that Helm takes away.
func functions(t *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	all["include"] = func(name string, data interface{}) (string, error) {
		var out strings.Builder
		err := t.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	all["tpl"] = func(text string, data interface{}) (string, error) {
		var out strings.Builder
		err := template.Must(template.Must(t.Clone()).New("tpl").Parse(text)).Execute(&out, data)
		return out.String(), err
	}
	all["toYaml"] = func(v interface{}) (string, error) {
		data, err := yaml.Marshal(v)
		return strings.TrimSuffix(string(data), "\n"), err
	}
	all["fromYaml"] = func(text string) (tree values, err error) { return tree, yaml.Unmarshal([]byte(text), &tree) }
	all["required"] = func(warning string, v interface{}) (interface{}, error) {
		if v == nil || v == "" {
			return nil, fmt.Errorf("%s", warning)
		}
		return v, nil
	}
	all["lookup"] = func(string, string, string, string) values { return values{} } // as without a cluster
	return all
}

func main() {
	chart, err := filepath.Abs(os.Args[1])
	check("the chart", err)
	meta, tree := read(chart+"/Chart.yaml"), read(chart+"/values.yaml")
	about := map[string]string{"RELEASE": "bramble", "NAMESPACE": "bramble", "KUBE": "v1.36.0"}
	for _, argument := range os.Args[2:] {
		parts := strings.SplitN(argument, "=", 2)
		if len(parts) == 1 {
			merge(tree, read(argument))
		} else if _, known := about[parts[0]]; known {
			about[parts[0]] = parts[1]
		} else {
			var value interface{}
			check(argument, yaml.Unmarshal([]byte(parts[1]), &value))
			merge(tree, at(parts[0], value))
		}
	}
	compare := sprig.TxtFuncMap()["semverCompare"].(func(string, string) (bool, error))
	if ok, err := compare(meta["kubeVersion"].(string), about["KUBE"]); !ok || err != nil {
		check("kubeVersion", fmt.Errorf("%s is not %s", about["KUBE"], meta["kubeVersion"]))
	}
	check("values don't meet values.schema.json", validate(chart+"/values.schema.json", tree))
	root := values{
		"Values":       tree,
		"Chart":        values{"Name": meta["name"], "Version": meta["version"], "AppVersion": meta["appVersion"]},
		"Release":      values{"Name": about["RELEASE"], "Namespace": about["NAMESPACE"], "Service": "Helm", "IsInstall": true},
		"Capabilities": values{"KubeVersion": values{"Version": about["KUBE"]}},
	}
	t := template.New("chart").Option("missingkey=zero")
	t.Funcs(functions(t))
	files, _ := filepath.Glob(chart + "/templates/*")
	_, err = t.ParseFiles(files...)
	check("templates", err)
	var notes string
	for _, file := range files {
		var out bytes.Buffer
		check(file, t.ExecuteTemplate(&out, filepath.Base(file), root))
		text := strings.ReplaceAll(out.String(), "<no value>", "")
		if strings.HasSuffix(file, "NOTES.txt") {
			notes = "# " + strings.ReplaceAll(text, "\n", "\n# ") + "\n"
		} else if strings.TrimSpace(text) != "" {
			fmt.Printf("---\n%s\n", text)
		}
	}
	fmt.Print(notes)
}
