package v1

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// Summary is the answer of Data.
type Summary struct {
	User     Person    `json:"user"`
	Auth     Ways      `json:"auth"`
	Credits  Credits   `json:"credits"`
	Projects []Project `json:"projects"`
	Totals   Totals    `json:"totals"`
}

// Person is the user.
type Person struct {
	ID            string    `json:"id"`
	Email         string    `json:"email"`
	Name          string    `json:"name"`
	Role          string    `json:"role"`
	CreatedAt     core.Time `json:"createdAt"`
	EmailVerified bool      `json:"emailVerified"`
}

// Ways are the ways in.
type Ways struct {
	Sessions  int        `json:"sessionsCount"`
	Accounts  int        `json:"accountsCount"`
	TwoFactor bool       `json:"has2FA"`
	LastLogin *core.Time `json:"lastLoginAt"`
}

// Credits are kept by another service; clients expect the numbers.
type Credits struct {
	Available    bool `json:"available"` // always false
	Balance      int  `json:"balance"`
	TotalEarned  int  `json:"totalEarned"`
	TotalSpent   int  `json:"totalSpent"`
	Transactions int  `json:"transactionsCount"`
}

// Project is one data set: what a plugin keeps, or a service outside.
type Project struct {
	ID        string   `json:"projectId"`
	Name      string   `json:"projectName"`
	Icon      string   `json:"icon"` // always empty
	Available bool     `json:"available"`
	Error     string   `json:"error,omitempty"`
	Entities  []Entity `json:"entities"`
	Total     int      `json:"totalCount"`
}

// Entity is a kind of thing that a project has.
type Entity struct {
	Entity string `json:"entity"`
	Count  int    `json:"count"`
	Label  string `json:"label"`
}

// Totals are sums over the projects.
type Totals struct {
	Entities int `json:"totalEntities"`
	Projects int `json:"projectsWithData"`
}

// ofAuth are data sets that the part "auth" of a summary counts.
var ofAuth = []string{"user", "sessions", "accounts"}

// kept is what is kept about a user, as JSON, by data set.
func (p *Plugin) kept(ctx context.Context, userID string) (map[string]json.RawMessage, error) {
	all, err := p.host.Export(ctx, userID)
	if err != nil {
		return nil, err
	}
	out := make(map[string]json.RawMessage, len(all))
	for name, v := range all {
		if out[name], err = json.Marshal(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// count is how many things a data set has: the items of a list, or one that is not null.
func count(raw json.RawMessage) int {
	var list []json.RawMessage
	switch {
	case json.Unmarshal(raw, &list) == nil:
		return len(list)
	case string(raw) == "null" || string(raw) == "{}":
		return 0
	}
	return 1
}

func (p *Plugin) data(ctx context.Context, c *core.Call, _ core.None) (Summary, error) {
	c.SetHeader("Cache-Control", "no-store")
	_, u := c.Session()
	kept, err := p.kept(ctx, u.ID)
	if err != nil {
		return Summary{}, err
	}
	return p.summary(ctx, u, kept)
}

func (p *Plugin) summary(ctx context.Context, u *core.User, kept map[string]json.RawMessage) (Summary, error) {
	list, err := p.host.Sessions(ctx, u.ID)
	if err != nil {
		return Summary{}, err
	}
	s := Summary{User: Person{u.ID, u.Email, u.Name, text(u, p.o.RoleField, "user"), core.Time(u.CreatedAt), u.EmailVerified},
		Auth: Ways{Sessions: len(list), Accounts: count(kept["accounts"])}, Projects: []Project{}}
	s.Auth.TwoFactor, _ = u.Extra["twoFactorEnabled"].(bool)
	var last time.Time
	for _, d := range list {
		if at := d.AuthenticatedAt(); at.After(last) {
			last = at
			s.Auth.LastLogin = (*core.Time)(&last)
		}
	}
	for _, name := range sets(kept) {
		n := count(kept[name])
		s.Projects = append(s.Projects, Project{ID: name, Name: name, Available: true, Entities: []Entity{{name, n, name}}, Total: n})
		if s.Totals.Entities += n; n > 0 {
			s.Totals.Projects++
		}
	}
	for _, o := range p.o.Outside {
		s.Projects = append(s.Projects, Project{ID: o.ID, Name: o.Name, Error: "kept by another service", Entities: []Entity{}})
	}
	return s, nil
}

// sets are the names of data sets that are not part of the user itself, in order.
func sets(kept map[string]json.RawMessage) []string {
	var names []string
	for name := range kept {
		if !slices.Contains(ofAuth, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Export is the answer of ExportData. Details are all data sets, and the four of the
// earlier system in any case.
type Export struct {
	ExportedAt core.Time                  `json:"exportedAt"`
	Version    string                     `json:"exportVersion"`
	Data       Summary                    `json:"data"`
	Details    map[string]json.RawMessage `json:"details"`
}

func (p *Plugin) exportData(ctx context.Context, c *core.Call, _ core.None) (Export, error) {
	_, u := c.Session()
	kept, err := p.kept(ctx, u.ID)
	if err != nil {
		return Export{}, err
	}
	s, err := p.summary(ctx, u, kept)
	if err != nil {
		return Export{}, err
	}
	for _, name := range []string{"sessions", "passkeys", "apiKeys", "securityEvents"} {
		if kept[name] == nil {
			kept[name] = json.RawMessage("[]")
		}
	}
	if kept["passkeys"], err = friendly(kept["passkeys"]); err != nil {
		return Export{}, err
	}
	c.SetHeader("Cache-Control", "no-store")
	c.SetHeader("Content-Disposition", `attachment; filename="meine-daten-`+c.Now().Format(dayForm)+`.json"`)
	return Export{core.Time(c.Now()), "2.0", s, kept}, nil
}

// friendly gives passkeys their names under the earlier system's member as well.
func friendly(list json.RawMessage) (json.RawMessage, error) {
	var rows []map[string]json.RawMessage
	if err := json.Unmarshal(list, &rows); err != nil {
		return nil, err
	}
	for _, row := range rows {
		row["friendlyName"] = row["name"]
	}
	return json.Marshal(rows)
}
