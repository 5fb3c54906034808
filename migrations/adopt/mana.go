package adopt

import (
	"fmt"
	"slices"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// prepare proposes what has to be done first where a shape does not fit: a table without
// the key that rows are addressed by.
func (p *Proposal) prepare(r *Report, want *schema.Schema, names schema.Names) {
	for _, m := range p.m.matches {
		t := want.Table(m.name)
		if t == nil || names.Table(m.name) != m.live.Name || m.live.Column(names.Column(m.name, "id")) != nil || t.Column("id") == nil {
			continue
		}
		if p.Dialect != storage.Postgres {
			continue
		}
		x := storage.Expander{Dialect: p.Dialect, Names: names}
		r.Prepare = append(r.Prepare, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s text NOT NULL UNIQUE DEFAULT gen_random_uuid()::text; -- rows of %s need an id of their own; what writes them today goes on",
			x.Qualify(m.live.Name), storage.Quote(names.Column(m.name, "id")), m.name))
	}
}

// mana adds what is known of that system and no catalogue says.
func (p *Proposal) mana(r *Report, enabled []string) {
	if p.From != Mana {
		return
	}
	note := func(text string) { r.Notes = append(r.Notes, text) }
	table := func(name string) *schema.LiveTable { return p.live.Table(name) }
	note("cookies have the prefix mana there: set cookies.prefix: mana, and cookies.domain to COOKIE_DOMAIN with sameSite: none; the plugin v1 answers below /api/v1/auth")
	if m := p.m.find("twoFactor"); m != nil && m.live.Column("enabled") != nil {
		note(`two_factor_auth has a row per user and says "enabled" itself. Here users.two_factor_enabled decides, and a row counts as confirmed: delete rows with enabled = false first, and see that the two agree`)
	}
	if m := p.m.find("passkey"); m != nil {
		if c := m.live.Column(m.cols["transports"]); c != nil && (c.Type == "jsonb" || c.Type == "json") {
			r.Prepare = append(r.Prepare, "passkeys.transports holds JSON, and text joined by commas is wanted: run migration 007 of the old system first")
		}
	}
	if p.m.find("encryptionVault") != nil && !slices.Contains(enabled, "vault") {
		r.Losses = append(r.Losses, Loss{Code: "vault", Text: "vaults: enable the plugin vault with the same key (MANA_AUTH_KEK, called env-v1)", Unknown: "row-level security hides them"})
	}
	for _, t := range []struct{ name, text string }{
		{"login_attempts", "failures and locks of login_attempts are not taken over: everybody begins without any"},
		{"security_events", "security_events stays as it is and is not copied: new events go to security_event, which is chained"},
		{"passwords", "the table passwords is not used: passwords are read from accounts"},
		{"user_settings", "user_settings stays with the app: there are no endpoints for it here"},
	} {
		if table(t.name) != nil {
			note(t.text)
		}
	}
	if m := p.m.find("member"); m != nil {
		note("members.user_id refers to no user there: rows of users who are gone stay, and are not shown")
	}
}

// manaQuestions are losses that only that schema has.
func (p *Proposal) manaQuestions() (out []question) {
	if u := p.m.find("user"); p.From == Mana && u.live.Column("deleted_at") != nil {
		out = append(out, question{"deleted", "users are marked as deleted (deleted_at), which nothing looks at, there or here: they can sign in; delete or ban them",
			"SELECT 1 FROM " + p.from(u, "u") + ` WHERE u."deleted_at" IS NOT NULL`})
	}
	return out
}
