package input

type kind uint8

const (
	kindUndefined kind = iota // absent
	kindNull
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

// node is one value of a body or query. Children are chained by next, in the order sent;
// indexes are into tree.nodes, and 0, the root, stands for none.
type node struct {
	kind        kind
	bad         bool  // the text had to be repaired; only in a query
	truth       bool  // of a bool
	first, last int32 // children, 0 if none; last only in a query
	next        int32
	start, end  int32  // in tree.text
	name        string // of a member, decoded
	str         string // of a string, decoded; of a number, its literal
}

// tree is a parsed document. Strings without escapes are parts of text.
type tree struct {
	text  string
	nodes []node
}

func (t *tree) chain(parent, last, child int32) {
	if last == 0 {
		t.nodes[parent].first = child
	} else {
		t.nodes[last].next = child
	}
}

// nameSet finds duplicate names: by looking at the siblings while they are few, then in
// a map, so that many names do not cost their square.
type nameSet struct {
	n    int
	seen map[string]bool
}

func (u *nameSet) has(t *tree, parent int32, name string) bool {
	u.n++
	if u.seen == nil && u.n <= 16 {
		return t.member(parent, name) != 0
	}
	if u.seen == nil {
		u.seen = make(map[string]bool, 2*u.n)
		for c := t.nodes[parent].first; c != 0; c = t.nodes[c].next {
			u.seen[t.nodes[c].name] = true
		}
	}
	if u.seen[name] {
		return true
	}
	u.seen[name] = true
	return false
}

// member finds a member of an object by name; 0 if there is none.
func (t *tree) member(parent int32, name string) int32 {
	for c := t.nodes[parent].first; c != 0; c = t.nodes[c].next {
		if t.nodes[c].name == name {
			return c
		}
	}
	return 0
}
