package core

import (
	"html/template"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// pageLanguages are those of core's own page; the first is for those who read none of them.
var pageLanguages = []string{"en", "de", "fr", "it", "es"}

// failureWords are the texts of the page at /error.
type failureWords struct{ Lang, Title, Advice, Code, Start string }

var failureTexts = map[string]failureWords{
	"en": {"en", "Something went wrong", "Please try again, or go back to where you came from.", "Code:", "Go to the start page"},
	"de": {"de", "Etwas ist schiefgegangen", "Bitte versuchen Sie es noch einmal, oder gehen Sie dorthin zurück, wo Sie herkommen.", "Code:", "Zur Startseite"},
	"fr": {"fr", "Une erreur s’est produite", "Veuillez réessayer, ou revenir d’où vous venez.", "Code :", "Aller à la page d’accueil"},
	"it": {"it", "Qualcosa non ha funzionato", "Riprovi, oppure torni alla pagina precedente.", "Codice:", "Andare alla pagina iniziale"},
	"es": {"es", "Algo ha fallado", "Inténtelo de nuevo o vuelva al sitio del que venía.", "Código:", "Ir a la página de inicio"},
}

// Language chooses among have, the languages of a page, by the request's Accept-Language
// and says so in the answer's headers. The first is for those who read none of them.
func (c *Call) Language(have ...string) string {
	language := contract.MatchLanguage(have, c.AcceptLanguage())
	if language == "" && len(have) > 0 {
		language = have[0]
	}
	c.SetHeader("Content-Language", language)
	c.SetHeader("Vary", "Accept-Language")
	return language
}

var failureTemplate = template.Must(template.New("error").Parse(`<!doctype html>
<html lang="{{.T.Lang}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.T.Title}}</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1.5rem}code{word-break:break-all}</style>
</head><body><main><h1>{{.T.Title}}</h1>
<p>{{if .Description}}{{.Description}}{{else}}{{.T.Advice}}{{end}}</p>
<p>{{.T.Code}} <code>{{.Code}}</code></p><p><a href="/">{{.T.Start}}</a></p></main></body></html>
`))
