package jmap

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// Args are a method's arguments. The account's id is added.
type Args map[string]any

// Ref is a reference to the result of an earlier call of the same request (RFC 8620 section
// 3.7). Call is its place, from 0.
type Ref struct {
	Call int
	Name string
	Path string
}

// MarshalJSON implements json.Marshaler.
func (r Ref) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"resultOf": strconv.Itoa(r.Call), "name": r.Name, "path": r.Path})
}

// Call is one method call. Into is a pointer that the answer is decoded into.
type Call struct {
	Method string
	Args   Args
	Into   any
}

// Do makes calls in one request, all in the user's account. Of several that fail the first is
// the error. State is the session's, as the answer tells it.
func (c *Client) Do(ctx context.Context, l Login, s *Session, calls ...Call) (state string, err error) {
	var req struct {
		Using []string `json:"using"`
		Calls []any    `json:"methodCalls"`
	}
	req.Using = s.using
	for i, call := range calls {
		args := map[string]any{"accountId": s.AccountID}
		for k, v := range call.Args {
			args[k] = v
		}
		req.Calls = append(req.Calls, []any{call.Method, args, strconv.Itoa(i)})
	}
	body, err := json.Marshal(req)
	if err != nil {
		return "", fmt.Errorf("jmap: %w", err)
	}
	raw, err := c.request(ctx, l, http.MethodPost, s.api, "application/json", bytes.NewReader(body), maxAnswer)
	if err != nil {
		return "", err
	}
	var res struct {
		Responses []response `json:"methodResponses"`
		State     string     `json:"sessionState"`
	}
	if err := json.Unmarshal(raw, &res); err != nil {
		return "", fmt.Errorf("%w: %s", ErrProtocol, calls[0].Method)
	}
	for i, call := range calls {
		if err := take(res.Responses, strconv.Itoa(i), call, s.AccountID); err != nil {
			return res.State, err
		}
	}
	return res.State, nil
}

// response is [name, arguments, call id] (RFC 8620 section 3.2).
type response struct {
	name, id string
	args     json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *response) UnmarshalJSON(raw []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return err
	}
	if len(parts) != 3 {
		return ErrProtocol
	}
	r.args = parts[1]
	if err := json.Unmarshal(parts[0], &r.name); err != nil {
		return err
	}
	return json.Unmarshal(parts[2], &r.id)
}

// take decodes the answer to one call, or says what is wrong with it.
func take(list []response, id string, call Call, account string) error {
	for _, r := range list {
		if r.id != id {
			continue
		}
		if r.name == "error" {
			var e struct {
				Type string `json:"type"`
			}
			_ = json.Unmarshal(r.args, &e) // without a type it is an unknown error
			return &MethodError{call.Method, kind(e.Type)}
		}
		if r.name != call.Method {
			break
		}
		var of struct {
			AccountID string `json:"accountId"`
		}
		if json.Unmarshal(r.args, &of) != nil || of.AccountID != account || json.Unmarshal(r.args, call.Into) != nil {
			break
		}
		return nil
	}
	return fmt.Errorf("%w: the answer to %s", ErrProtocol, call.Method)
}
