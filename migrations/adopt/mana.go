package adopt

// mana maps what the schema of mana-auth calls otherwise.
func (p *Proposal) mana() {}

func (p *Proposal) manaQuestions(enabled []string) []question { return nil }
