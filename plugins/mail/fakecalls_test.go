package mail

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// taken are the arguments of each method.
var taken = map[string][]string{
	"Mailbox/get": {"ids", "properties"}, "Mailbox/set": {"create"}, "Thread/get": {"ids"}, "Identity/get": {"ids"}, "EmailSubmission/set": {"create"},
	"Email/query": {"filter", "sort", "position", "limit", "collapseThreads", "calculateTotal"},
	"Email/get":   {"ids", "properties", "bodyProperties", "fetchTextBodyValues", "fetchHTMLBodyValues", "maxBodyValueBytes"},
	"Email/set":   {"create", "update", "destroy"},
}

// members of a mail that is created.
var creatable = []string{"mailboxIds", "keywords", "from", "to", "cc", "bcc", "subject", "messageId", "inReplyTo", "references", "textBody", "htmlBody", "bodyValues", "attachments"}

type object = map[string]any

// call is a method: an error's type, or its answer.
func (f *fake) call(a *fakeAccount, name string, args object) (string, any) {
	if args["accountId"] != a.id {
		return "accountNotFound", nil
	}
	for k := range args {
		if k != "accountId" && !slices.Contains(taken[name], k) {
			return "invalidArguments", nil
		}
	}
	if ids, ok := args["ids"].([]any); ok && len(ids) > f.maxGet {
		return "requestTooLarge", nil
	}
	create, _ := args["create"].(object)
	switch name {
	case "Mailbox/get":
		return "", object{"list": a.boxes}
	case "Mailbox/set":
		b := create["new"].(object)
		b["id"] = "m-" + b["role"].(string)
		a.boxes = append(a.boxes, b)
		return "", object{"created": object{"new": object{"id": b["id"]}}}
	case "Identity/get":
		return "", object{"list": []any{object{"id": "i-other", "email": "postmaster@mail.example"}, object{"id": "i-own", "email": strings.TrimPrefix(a.id, "acc-") + "@mail.example"}}}
	case "Thread/get":
		return "", a.threads(args["ids"].([]any))
	case "Email/query":
		return a.query(args)
	case "Email/get":
		return "", a.get(args)
	case "Email/set":
		return "", a.set(args, create)
	case "EmailSubmission/set":
		s := create["sending"].(object)
		if s["identityId"] != "i-own" || a.mail(s["emailId"]) == nil {
			return "", object{"notCreated": object{"sending": object{"type": "invalidProperties"}}}
		}
		f.sent = append(f.sent, s)
		return "", object{"created": object{"sending": object{"id": "s1"}}}
	}
	return "unknownMethod", nil
}

func (a *fakeAccount) mail(id any) object {
	for _, e := range a.mails {
		if e["id"] == id {
			return e
		}
	}
	return nil
}

func (a *fakeAccount) threads(ids []any) object {
	list, missing := []any{}, []any{}
	for _, id := range ids {
		members := []any{}
		for _, e := range a.mails {
			if e["threadId"] == id {
				members = append(members, e["id"])
			}
		}
		if len(members) == 0 {
			missing = append(missing, id)
			continue
		}
		list = append(list, object{"id": id, "emailIds": members})
	}
	return object{"list": list, "notFound": missing}
}

func (a *fakeAccount) query(args object) (string, any) {
	filter := args["filter"].(object)
	ids, seen := []any{}, map[any]bool{}
	for _, e := range slices.Backward(a.mails) {
		if box, ok := filter["inMailbox"]; ok {
			if _, in := e["mailboxIds"].(object)[box.(string)]; !in {
				continue
			}
		}
		if q, ok := filter["text"].(string); ok && !strings.Contains(fmt.Sprint(e["subject"]), q) || seen[e["threadId"]] {
			continue
		}
		seen[e["threadId"]] = true
		ids = append(ids, e["id"])
	}
	from, limit := int(args["position"].(float64)), int(args["limit"].(float64))
	some := ids[min(from, len(ids)):min(from+limit, len(ids))]
	return "", object{"ids": some, "total": len(ids), "position": from}
}

func (a *fakeAccount) get(args object) object {
	list, missing := []any{}, []any{}
	for _, id := range args["ids"].([]any) {
		e := a.mail(id)
		if e == nil {
			missing = append(missing, id)
			continue
		}
		one := object{}
		for _, p := range args["properties"].([]any) {
			one[p.(string)] = e[p.(string)]
		}
		one["bodyValues"] = a.values(e, args)
		list = append(list, one)
	}
	return object{"list": list, "notFound": missing}
}

func (a *fakeAccount) values(e, args object) object {
	out := object{}
	if args["fetchHTMLBodyValues"] != true {
		return out
	}
	all, _ := e["bodyValues"].(object)
	for id, v := range all {
		text, most := v.(object)["value"].(string), int(args["maxBodyValueBytes"].(float64))
		out[id] = object{"value": text[:min(len(text), most)], "isTruncated": len(text) > most}
	}
	return out
}

func (a *fakeAccount) set(args, create object) object {
	out := object{}
	if d, ok := create["draft"].(object); ok {
		for k := range d {
			if !slices.Contains(creatable, k) {
				out["notCreated"] = object{"draft": object{"type": "invalidProperties", "properties": []any{k}}}
				return out
			}
		}
		id := a.put(maps.Clone(d))
		if a.draft != nil {
			a.blobs["b-"+id] = a.draft
		}
		out["created"] = object{"draft": object{"id": id, "blobId": "b-" + id}}
	}
	update, _ := args["update"].(object)
	updated, not := object{}, object{}
	for id, patch := range update {
		e := a.mail(id)
		if e == nil {
			not[id] = object{"type": "notFound"}
			continue
		}
		for k, v := range patch.(object) {
			if k == "mailboxIds" {
				for box := range v.(object) {
					if !strings.HasPrefix(box, "m-") {
						not[id] = object{"type": "invalidProperties", "properties": []any{"mailboxIds"}}
						return object{"notUpdated": not}
					}
				}
				e[k] = v
			} else if name, ok := strings.CutPrefix(k, "keywords/"); ok {
				words := maps.Clone(e["keywords"].(object))
				if words[name] = v; v == nil {
					delete(words, name)
				}
				e["keywords"] = words
			}
		}
		updated[id] = nil
	}
	out["updated"], out["notUpdated"] = updated, not
	destroy, _ := args["destroy"].([]any)
	a.mails = slices.DeleteFunc(a.mails, func(e map[string]any) bool { return slices.Contains(destroy, e["id"]) })
	out["destroyed"] = destroy
	var plain object
	raw, _ := json.Marshal(out) //nolint:errcheck // it is JSON
	_ = json.Unmarshal(raw, &plain)
	return plain
}
