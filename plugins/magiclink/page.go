package magiclink

import "html/template"

// pageWords are the texts of the page that ConfirmOnPost shows. The app's name
// follows Heading.
type pageWords struct{ SignIn, Heading, Followed string }

var pageLanguages = []string{"en", "de", "fr", "it", "es"}

var pageTexts = map[string]pageWords{
	"en": {"Sign in", "Sign in to", "You followed a link that signs you in. It works once."},
	"de": {"Anmelden", "Anmelden bei", "Sie sind einem Link gefolgt, mit dem Sie sich anmelden. Er gilt einmal."},
	"fr": {"Se connecter", "Se connecter à", "Vous avez suivi un lien de connexion. Il fonctionne une fois."},
	"it": {"Accedere", "Accedere a", "Ha seguito un link di accesso. Vale una volta sola."},
	"es": {"Iniciar sesión", "Iniciar sesión en", "Ha seguido un enlace para iniciar sesión. Sirve una vez."},
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{{.T.SignIn}} · {{.App}}</title>
<style>:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}body{max-width:24rem;margin:15vh auto 0;padding:0 1.5rem}
h1{font-size:1.5rem}:focus-visible{outline:3px solid;outline-offset:2px}button{font:inherit;padding:.6rem 1.2rem;width:100%;cursor:pointer}</style></head>
<body><main><h1>{{.T.Heading}} {{.App}}</h1><p>{{.T.Followed}}</p>
<form method="post" action="{{.Action}}">{{range .Fields}}{{if .Value}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">{{end}}{{end}}
<button>{{.T.SignIn}}</button></form></main></body></html>
`))
