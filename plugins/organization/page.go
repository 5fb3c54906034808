package organization

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// memberPage is a part of the list of members.
type memberPage struct {
	organizationID string
	where          string // " AND ..." of a filter
	args           []any
	sortBy         string // a column; by default as they came in
	descending     bool
	limit, offset  int
}

// pageStatement lists members.
func (p *Plugin) pageStatement(m memberPage) storage.Statement {
	order := "{member.createdAt}, {member.id}"
	if m.sortBy != "" {
		order = "{member." + m.sortBy + "}"
		if m.descending {
			order += " DESC"
		}
		order += ", {member.id}"
	}
	s := storage.Statement{SQL: "SELECT " + p.members.Select() + " FROM {member=} WHERE {member.organizationId} = ?" + m.where + " ORDER BY " + order,
		Args: append([]any{m.organizationID}, m.args...)}
	if n := m.early(); n > 0 {
		s.SQL += " LIMIT " + strconv.Itoa(n)
		return s
	}
	s.SQL, s.Args = s.SQL+" LIMIT ? OFFSET ?", append(s.Args, int64(m.limit), int64(m.offset))
	return s
}

// early is how many rows are read for a page that is not far from the beginning, one of a
// few numbers; 0 for a late page. PostgreSQL plans a prepared statement for any number that
// is bound, and then sorts all members; a number that it sees keeps it on the index.
func (m memberPage) early() int {
	for _, n := range []int{10, 50, 100, 250, maxPage} {
		if m.offset+m.limit <= n {
			return n
		}
	}
	return 0
}

// page reads members, and then their users: joined, PostgreSQL would join every member
// before a late page too, or read all users, since it plans for any limit at once.
func (p *Plugin) page(ctx context.Context, m memberPage) ([]Named, error) {
	s := p.pageStatement(m)
	rows, err := p.host.DB().Query(ctx, s.SQL, s.Args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Named{}
	for rows.Next() {
		var n Named
		if err := p.members.Scan(rows, &n.Member); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if m.early() > 0 {
		out = out[min(m.offset, len(out)):min(m.offset+m.limit, len(out))]
	}
	if err := rows.Close(); err != nil || len(out) == 0 {
		return out, err
	}
	return p.named(ctx, out)
}

// named adds the users of members. One whose user has gone in between is left out.
func (p *Plugin) named(ctx context.Context, list []Named) ([]Named, error) {
	s := peopleStatement(list)
	rows, err := p.host.DB().Query(ctx, s.SQL, s.Args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	people := map[string]Person{}
	for rows.Next() {
		var u Person
		if err := rows.Scan(storage.Dests([]any{&u.ID, &u.Name, &u.Email, &u.Image})...); err != nil {
			return nil, err
		}
		people[u.ID] = u
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range list {
		list[i].User = people[list[i].UserID]
	}
	return slices.DeleteFunc(list, func(n Named) bool { return n.User.ID == "" }), rows.Close()
}

// peopleStatement reads the users of members. The list is filled up to a power of two with
// its last id, so that pages of all sizes share a few statements.
func peopleStatement(list []Named) storage.Statement {
	var args []any
	for _, n := range list {
		args = append(args, n.UserID)
	}
	for len(args)&(len(args)-1) != 0 {
		args = append(args, args[len(args)-1])
	}
	return storage.Statement{SQL: "SELECT {user.id}, {user.name}, {user.email}, {user.image} FROM {user=} WHERE {user.id} IN (?" +
		strings.Repeat(", ?", len(args)-1) + ")", Args: args}
}

// memberColumn finds a column that members may sort and filter by.
func (p *Plugin) memberColumn(name string) *schema.Column {
	t := p.members.Schema()
	if c := t.Column(name); c != nil && !c.Hidden && c.Kind != schema.JSON {
		return c
	}
	return nil
}

// operators are those of filters; LIKE has its pattern made of the value.
var operators = map[string]string{"eq": "=", "ne": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}

// filter is the condition of a list of members. Names of columns come from the schema,
// values are bound.
func (p *Plugin) filter(in ListMembersInput) (where string, args []any, err error) {
	field := deref(in.FilterField)
	if field == "" {
		return "", nil, nil
	}
	c := p.memberColumn(field)
	if c == nil {
		return "", nil, core.ErrValidation.WithMessage("[query.filterField] Invalid input: members have no such field")
	}
	ref, op := " AND {member."+field+"} ", deref(in.FilterOperator)
	if len(in.FilterValue) == 0 {
		return " AND 1 = 0", nil, nil
	}
	if len(in.FilterValue) > maxList || len(in.FilterValue) > 1 && op != "in" && op != "not_in" {
		return "", nil, notOne("query.filterValue")
	}
	switch op {
	case "contains", "starts_with", "ends_with":
		if c.Kind != schema.String {
			return "", nil, notOne("query.filterOperator")
		}
		pattern := likePattern(in.FilterValue[0])
		if op != "starts_with" {
			pattern = "%" + pattern
		}
		if op != "ends_with" {
			pattern += "%"
		}
		// The column may be a uuid or a number, in a database that was taken over.
		return " AND CAST({member." + field + `} AS text) LIKE ? ESCAPE '\'`, []any{pattern}, nil
	}
	for _, text := range in.FilterValue {
		v, ok := columnValue(c.Kind, text)
		if !ok {
			return "", nil, notOne("query.filterValue")
		}
		args = append(args, v)
	}
	switch op {
	case "in":
		return ref + "IN (?" + strings.Repeat(", ?", len(args)-1) + ")", args, nil
	case "not_in":
		return ref + "NOT IN (?" + strings.Repeat(", ?", len(args)-1) + ")", args, nil
	case "":
		op = "eq"
	}
	return ref + operators[op] + " ?", args, nil
}

// likePattern escapes what LIKE reads otherwise.
func likePattern(s string) string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(s)
}

// columnValue reads a text of a query as a value of a column.
func columnValue(kind schema.Kind, text string) (v any, ok bool) {
	var err error
	switch kind {
	case schema.Bool:
		v, err = strconv.ParseBool(text)
	case schema.Int, schema.BigInt:
		v, err = strconv.ParseInt(text, 10, 64)
	case schema.Time:
		var t time.Time
		t, err = time.Parse(time.RFC3339Nano, text)
		v = t.UTC().Truncate(time.Millisecond)
	default:
		v = text
	}
	return v, err == nil
}

// jsNumber is JavaScript's Number(text); ok is false for NaN and what is infinite.
func jsNumber(text string) (n float64, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, true
	}
	if len(text) > 2 && text[0] == '0' && strings.ContainsRune("xXoObB", rune(text[1])) && !strings.Contains(text, "_") {
		i, err := strconv.ParseInt(text, 0, 64)
		return float64(i), err == nil
	}
	if strings.Trim(text, "+-.0123456789eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// leadingInt is JavaScript's parseInt(text), 0 for NaN, at most a billion.
func leadingInt(text string) (n int) {
	text = strings.TrimSpace(text)
	digits := strings.TrimPrefix(strings.TrimPrefix(text, "+"), "-")
	for _, c := range digits {
		if c < '0' || c > '9' {
			break
		}
		n = min(n*10+int(c-'0'), 1e9)
	}
	if strings.HasPrefix(text, "-") {
		return -n
	}
	return n
}
