package mailtext

import (
	"maps"
	"slices"
	"strings"
	syntax "text/template/parse"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// Variables lists what the text of a template in a language is made of, sorted: "App",
// "Data.appName", ... None if there is no such text.
func (r *Renderer) Variables(name, language string) []string {
	if t := r.texts(name, nil)[language]; t != nil {
		return slices.Clone(t.variables)
	}
	return nil
}

// collect reads the variables of a template, without those of the frame around it.
func (t *template) collect() []string {
	found := map[string]bool{}
	for _, tree := range []*syntax.Tree{t.subject.Tree, t.text.Tree, t.html.Lookup("content").Tree} {
		if tree != nil {
			walk(tree.Root, found)
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func walk(n syntax.Node, found map[string]bool) {
	switch n := n.(type) {
	case *syntax.ListNode:
		if n != nil {
			for _, c := range n.Nodes {
				walk(c, found)
			}
		}
	case *syntax.ActionNode:
		walk(n.Pipe, found)
	case *syntax.PipeNode:
		if n != nil {
			for _, c := range n.Cmds {
				walk(c, found)
			}
		}
	case *syntax.CommandNode:
		for _, c := range n.Args {
			walk(c, found)
		}
	case *syntax.FieldNode:
		found[strings.Join(n.Ident, ".")] = true
	case *syntax.VariableNode:
		if len(n.Ident) > 1 && n.Ident[0] == "$" {
			found[strings.Join(n.Ident[1:], ".")] = true
		}
	case *syntax.IfNode:
		branch(&n.BranchNode, found)
	case *syntax.WithNode:
		branch(&n.BranchNode, found)
	case *syntax.RangeNode:
		branch(&n.BranchNode, found)
	case *syntax.TemplateNode:
		walk(n.Pipe, found)
	}
}

func branch(n *syntax.BranchNode, found map[string]bool) {
	walk(n.Pipe, found)
	walk(n.List, found)
	walk(n.ElseList, found)
}

// samples are values of Data that look as they will.
var samples = map[string]string{
	"appName": "Example", "organization": "Example Ltd", "inviter": "grace@example.com", "inviterName": "Grace Hopper",
	"role": "member", "expiresIn": "2 days", "expiresInSeconds": "172800", "time": "2026-01-31 09:30 UTC",
	"ip": "192.0.2.17", "browser": "Firefox", "system": "Windows",
}

// Sample makes up a message of a template for a reader of language: for previews and tests.
func (r *Renderer) Sample(name, language string) contract.Message {
	m := contract.Message{Template: name, To: "ada@example.com", Language: language, NewEmail: "countess@example.com",
		User:  contract.MessageUser{ID: "k3J9sample", Name: "Ada Lovelace", Email: "ada@example.com", Locale: language},
		URL:   "https://app.example/link?token=sample&callbackURL=%2F",
		Token: "sample", OTP: "123456", Data: map[string]string{}}
	for _, t := range r.texts(name, nil) {
		for _, v := range t.variables {
			key, isData := strings.CutPrefix(v, "Data.")
			if !isData {
				continue
			}
			if m.Data[key] = samples[key]; m.Data[key] == "" {
				m.Data[key] = "sample " + key
			}
		}
	}
	return m
}
