package server

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync"
)

//go:embed comments.json
var commentsJSON []byte

// comments are the comments of option fields, by option.field.
var comments = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	if err := json.Unmarshal(commentsJSON, &out); err != nil {
		panic("server: comments.json: " + err.Error()) // it is generated
	}
	return out
})

var word = regexp.MustCompile(`[A-Za-z]+`)

// comment returns what an option's field says about it, with fields by the names that the
// file has for them.
func (o *option) comment() string {
	text, ok := comments()[o.field]
	if !ok {
		return o.tag.Get("doc")
	}
	if leader, shared := strings.CutPrefix(text, "\n"); shared {
		return "see `" + o.names[leader] + "`."
	}
	return word.ReplaceAllStringFunc(text, func(w string) string {
		if name := o.names[w]; name != "" && w != "Default" { // which begins sentences
			return "`" + name + "`"
		}
		return w
	})
}

const docsHead = `# Configuration

This page is generated from the comments of the options in the source.

Options are set in a YAML file (` + "`sallyport.yaml`" + `, or the file that ` + "`--config`" + ` or ` + "`SALLYPORT_CONFIG`" + ` names)
and in environment variables. An unknown key, a key given twice and a value of the wrong type
stop the start and are reported with line, column and path. ` + "`sallyport config check`" + ` reports them without
starting anything. The first of these places that sets an option wins:

1. its environment variable ` + "`SALLYPORT_...`" + `, named below; an empty one counts as not set
2. the file
3. the variables of other programs, in the next table
4. the default

In a variable, the items of a list of texts are separated by commas. Lists of objects and mappings can be set
only in the file. A variable that begins with ` + "`SALLYPORT_`" + ` and names no option stops the start, except
those that Kubernetes sets for a service of that name.

## Variables of other programs

| Variable | Option | Meaning |
| --- | --- | --- |
`

const docsModes = `
## Development and production

Without ` + "`production: true`" + ` (or ` + "`--production`" + `) the program is a development server:

- What is not set comes from a data folder (` + "`./sallyport-data`" + `; ` + "`--data`" + ` or ` + "`SALLYPORT_DATA`" + ` names another) with a
  SQLite database and a random secret. ` + "`serve`" + ` migrates the database by itself.
- Mails are printed to the console with their working links. The built-in pages are at ` + "`/`" + `.
- ` + "`http://localhost:*`" + ` and ` + "`http://127.0.0.1:*`" + ` are trusted origins.
- Without a config file, users may change their address and delete themselves, and these plugins are enabled with
  their defaults: %s. All others run only where they are named.

Production refuses to start with a weak or missing secret, a base URL or trusted origin of plain
http, the mail driver ` + "`log`" + `, no plugin, a secret in a file that everybody on the machine can read,
or a database that lacks what the plugins need (` + "`sallyport migrate apply`" + `). It warns about limits
that are off or kept in memory beside a shared database, about a missing mailer, and, once, about a
request with X-Forwarded-For while ` + "`trustedProxies`" + ` is empty.

## Options
`

// Docs documents every option of the program in Markdown: its own, core's, and those of
// the plugins.
func Docs(entries ...PluginEntry) string {
	var b strings.Builder
	b.WriteString(docsHead)
	for _, f := range fallbacks {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", f.name, f.path, f.text)
	}
	var byDefault []string
	for _, e := range entries {
		if !e.asked {
			byDefault = append(byDefault, "`"+e.id+"`")
		}
	}
	fmt.Fprintf(&b, docsModes, strings.Join(byDefault, ", "))
	var groups []string
	members := map[string][]option{}
	for _, o := range optionsOf(reflect.TypeFor[Config](), "") {
		group, _, nested := strings.Cut(o.path, ".")
		if !nested {
			group = "Top level"
		}
		if members[group] == nil {
			groups = append(groups, group)
		}
		members[group] = append(members[group], o)
	}
	for _, group := range groups {
		fmt.Fprintf(&b, "\n### %s\n\n", group)
		for _, o := range members[group] {
			writeOption(&b, o, "")
		}
	}
	for _, e := range entries {
		fmt.Fprintf(&b, "\n### plugins.%s\n\n", e.id)
		list := optionsOf(e.options, "plugins."+e.id)
		if len(list) == 0 {
			b.WriteString("It has no options.\n")
		}
		for _, o := range list {
			writeOption(&b, o, "")
		}
	}
	return b.String()
}

func writeOption(b *strings.Builder, o option, indent string) {
	fmt.Fprintf(b, "%s- **`%s`** (%s", indent, o.path, o.kind())
	if env := o.env(); env != "" && indent == "" {
		fmt.Fprintf(b, "; `%s`", env)
	}
	b.WriteString(")")
	if text := o.comment(); text != "" {
		b.WriteString(": " + text)
	}
	b.WriteString("\n")
	for _, u := range o.under {
		writeOption(b, u, indent+"  ")
	}
}
