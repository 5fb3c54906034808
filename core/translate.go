package core

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// reader is what a contract.Translator learns about whoever asked.
type reader struct {
	ex   Exchange
	user *User
}

func (r reader) Header(name string) string { return strings.Clone(r.ex.Header(name)) }

func (r reader) UserField(name string) string {
	if r.user == nil {
		return ""
	}
	s, _ := r.user.Extra[name].(string)
	return s
}

// translated puts the text for people into the language of whoever asked. Code, status and
// class stay, and so does all that is logged: this is the last step before the answer. It
// never fails: what cannot be translated stays in English.
func (h *Host) translated(ctx context.Context, f Failure, r reader) (out Failure) {
	if h.translator == nil || f.Message == "" {
		return f
	}
	defer func() {
		if v := recover(); v != nil {
			h.log.LogAttrs(ctx, slog.LevelError, "translating an error failed", slog.String("code", f.Code), slog.String("panic", fmt.Sprint(v)))
			out = f
		}
	}()
	text := h.translator.Translate(f.Code, r)
	if text == "" {
		return f
	}
	e := *f.Error
	e.Message, e.original = text, f.Message
	f.Error = &e
	return f
}
