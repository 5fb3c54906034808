package core

import (
	"context"
	"net/url"
	"reflect"
	"regexp"
	"strings"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// None is the input of an endpoint that takes nothing.
type None struct{}

// Status is the answer of endpoints that only did something.
type Status struct {
	Status bool `json:"status"`
}

// Core's own endpoints.
var (
	OK        = NewRoute[None, OKAnswer]("GET /ok", Public)
	ErrorPage = NewRoute[None, None]("GET /error", Public)
	Features  = NewRoute[None, FeatureList]("GET /features", Public)
)

// OKAnswer is the answer of /ok.
type OKAnswer struct {
	OK bool `json:"ok"`
}

// FeatureList says what the enabled plugins offer: what a login page must know.
type FeatureList struct {
	AppName string                    `json:"appName"`
	Plugins []string                  `json:"plugins"`
	Entries []PageEntry               `json:"entries"`
	Options map[string]map[string]any `json:"options"`
}

var userColumns, sessionColumns = schema.Columns("core", reflect.TypeFor[User]()), schema.Columns("core", reflect.TypeFor[Session]())

// ownSpec is core itself in the form of a plugin.
func (b *compiler) ownSpec() (s Spec, userFields, sessionFields map[string]*field) {
	h := b.h
	proof := schema.Extension{Table: "session", Columns: schema.Columns("core", reflect.TypeFor[sessionProof]())}
	userExt, userFields := b.extras("user", h.cfg.User.Fields)
	sessionExt, sessionFields := b.extras("session", h.cfg.Session.Fields)
	tables := []schema.Table{{Name: "user", Columns: userColumns}, {Name: "session", Columns: sessionColumns},
		accounts.Schema(), verifications.Schema(), jobs.Schema(), attempts.Schema(), devices.Schema(), securityEvents.Schema(), eventChains.Schema()}
	if h.cfg.RateLimit.Storage == "database" {
		tables = append(tables, rateLimits.Schema())
	}
	return Spec{
		ID:     "core",
		Needs:  []Need{Optional(&h.translator)},
		Tables: tables,
		Extend: []schema.Extension{proof, userExt, sessionExt},
		Endpoints: []Endpoint{
			OK.Handle(func(context.Context, *Call, None) (OKAnswer, error) { return OKAnswer{true}, nil }),
			ErrorPage.Handle(h.failurePage),
			Features.Handle(h.features),
			GetSession.Handle(h.getSession), SignOut.Handle(h.signOut), ListSessions.Handle(h.listSessions),
			RevokeSession.Handle(h.revokeSession), RevokeSessions.Handle(h.revokeSessions),
			RevokeOtherSessions.Handle(h.revokeOtherSessions), UpdateSession.Handle(h.updateSession),
			UpdateUser.Handle(h.updateUser), ChangeEmail.Handle(h.changeEmail),
			DeleteUser.Handle(h.deleteUser), DeleteUserCallback.Handle(h.deleteUserCallback),
			ListAccounts.Handle(h.listAccounts), UnlinkAccount.Handle(h.unlinkAccount),
			SendVerificationEmail.Handle(h.sendVerificationEmail), VerifyEmail.Handle(h.verifyEmail),
			SecurityEvents.Handle(h.securityEvents),
		},
		Errors: coreErrors,
		Events: coreEvents,
		Jobs: []JobHandler{copiesVoid.Handle(h.voidCopies), mailJob.Handle(func(ctx context.Context, m contract.Message) error {
			if isDecoy(m) {
				return nil
			}
			return h.deliver(ctx, m)
		}), noticeJob.Handle(h.deliverNotice)},
		Data: []DataSet{
			{Name: "user", Export: func(ctx context.Context, db storage.Conn, id string) (any, error) { return h.UserByID(ctx, db, id) }},
			{Name: "accounts", Export: func(ctx context.Context, db storage.Conn, id string) (any, error) { return h.accountList(ctx, db, id) }},
			{Name: "sessions", Export: func(ctx context.Context, _ storage.Conn, id string) (any, error) { return h.exportSessions(ctx, id) }},
			{Name: "securityEvents", Export: h.exportEvents},
		},
		Provides: []Service{Provide[contract.Passwords](passwords{h}), Provide[contract.Sealer](h)},
	}, userFields, sessionFields
}

func (h *Host) features(context.Context, *Call, None) (FeatureList, error) {
	f := FeatureList{AppName: h.cfg.AppName, Plugins: []string{}, Entries: []PageEntry{}, Options: map[string]map[string]any{
		"core": {"mail": h.CanMail(), "changeEmail": h.cfg.User.ChangeEmail.Enabled, "deleteUser": h.cfg.User.DeleteUser.Enabled,
			"deleteUserByMail": h.cfg.User.DeleteUser.VerifyByMail}}}
	for _, s := range h.specs {
		if s.ID != "core" && s.ID != "app" {
			f.Plugins = append(f.Plugins, s.ID)
		}
		if s.Features != nil {
			f.Options[s.ID] = s.Features
		}
		f.Entries = append(f.Entries, s.Pages...)
	}
	return f, nil
}

// errorCode is what /error repeats of the query, and nothing else.
var errorCode = regexp.MustCompile(`^['A-Za-z0-9_-]+$`)

func (h *Host) failurePage(_ context.Context, c *Call, _ None) (None, error) {
	query, err := url.ParseQuery(c.ex.Query())
	if err != nil {
		query = url.Values{}
	}
	code, description := query.Get("error"), query.Get("error_description")
	if code == "" || !errorCode.MatchString(code) {
		code = "UNKNOWN"
	}
	if len(description) > 500 {
		description = description[:500]
	}
	if h.cfg.ErrorURL != "" {
		pairs := []string{"error", code}
		if description != "" {
			pairs = append(pairs, "error_description", description)
		}
		c.answer = &Response{Status: 302, Header: []Field{{"Location", AddQuery(h.cfg.ErrorURL, pairs...)}}}
		return None{}, nil
	}
	var b strings.Builder
	if err := failureTemplate.Execute(&b, map[string]any{"Code": code, "Description": strings.ToValidUTF8(description, ""),
		"T": failureTexts[c.Language(pageLanguages...)]}); err != nil {
		return None{}, err
	}
	c.AnswerHTML(200, []byte(b.String()))
	return None{}, nil
}
