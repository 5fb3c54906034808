package pages

import (
	"bytes"
	"html/template"
	"path"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// languages are those of the pages; the first is for those who read none of them.
var languages = []string{"en", "de", "fr", "it", "es"}

// words are the few texts that a document has before its script runs.
type words struct{ NoScript, NoScriptText, Skip, NotFound, NotFoundText, Start string }

var documentWords = map[string]words{
	"en": {"JavaScript is needed", "These pages talk to the server with JavaScript. Please switch it on and load the page again.",
		"Skip to content", "Page not found", "There is nothing at this address.", "Go to the start page"},
	"de": {"JavaScript wird gebraucht", "Diese Seiten sprechen mit JavaScript mit dem Server. Bitte schalten Sie es ein, und laden Sie die Seite neu.",
		"Zum Inhalt springen", "Seite nicht gefunden", "Unter dieser Adresse gibt es nichts.", "Zur Startseite"},
	"fr": {"JavaScript est nécessaire", "Ces pages communiquent avec le serveur en JavaScript. Activez-le et rechargez la page.",
		"Aller au contenu", "Page introuvable", "Il n’y a rien à cette adresse.", "Aller à la page d’accueil"},
	"it": {"Serve JavaScript", "Queste pagine comunicano con il server tramite JavaScript. Lo attivi e ricarichi la pagina.",
		"Andare al contenuto", "Pagina non trovata", "Non c’è nulla a questo indirizzo.", "Andare alla pagina iniziale"},
	"es": {"Hace falta JavaScript", "Estas páginas se comunican con el servidor mediante JavaScript. Actívelo y vuelva a cargar la página.",
		"Ir al contenido", "Página no encontrada", "No hay nada en esta dirección.", "Ir a la página de inicio"},
}

// document is one page in every language.
type document map[string]answer

// in is the page for a reader, by their Accept-Language header.
func (d document) in(acceptLanguage string) answer {
	if a, ok := d[contract.MatchLanguage(languages, acceptLanguage)]; ok {
		return a
	}
	return d[languages[0]]
}

// addDocuments fills in the two documents: the shell and the page for unknown paths.
func (p *Pages) addDocuments(opts Options) error {
	t, err := template.ParseFS(static, "static/*.html")
	if err != nil {
		return err
	}
	var modules []string
	for name := range p.parts {
		// Of the catalogues only one is wanted, and the script knows which.
		if path.Ext(name) == ".js" && name != "shell.js" && !strings.HasPrefix(name, "text-") {
			modules = append(modules, name)
		}
	}
	slices.Sort(modules)
	p.shell, p.absent = document{}, document{}
	for _, language := range languages {
		data := map[string]any{
			"Base": opts.BasePath, "Prefix": opts.Prefix, "App": opts.AppName,
			"Assets": opts.Prefix + p.asset, "Modules": modules, "Lang": language, "T": documentWords[language],
		}
		for _, d := range []struct {
			into   document
			name   string
			status int
		}{{p.shell, "shell.html", 200}, {p.absent, "not-found.html", 404}} {
			var b bytes.Buffer
			if err := t.ExecuteTemplate(&b, d.name, data); err != nil {
				return err
			}
			h := headers("text/html; charset=utf-8", cacheNever)
			h["Content-Language"], h["Vary"] = language, "Accept-Language"
			d.into[language] = answer{d.status, h, b.Bytes()}
		}
	}
	return nil
}
