package plugintest

import (
	"context"
	"sync"

	"github.com/sallyport-auth/sallyport/core/contract"
)

// Outbox is a mailer that keeps what it is given.
type Outbox struct {
	mu     sync.Mutex
	sent   []contract.Message
	taken  []bool
	onSend func()
}

var _ contract.Mailer = (*Outbox)(nil)

// Send implements contract.Mailer.
func (o *Outbox) Send(_ context.Context, m contract.Message) error {
	if o.onSend != nil {
		o.onSend()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent, o.taken = append(o.sent, m), append(o.taken, false)
	return nil
}

// All returns every message that was sent.
func (o *Outbox) All() []contract.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]contract.Message(nil), o.sent...)
}

// Take returns the oldest message of a template to an address that was not taken yet.
func (o *Outbox) Take(to, template string) (contract.Message, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, m := range o.sent {
		if !o.taken[i] && m.To == to && m.Template == template {
			o.taken[i] = true
			return m, true
		}
	}
	return contract.Message{}, false
}
