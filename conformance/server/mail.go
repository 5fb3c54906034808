package main

import (
	"cmp"

	"github.com/sallyport-auth/sallyport/plugins/mail"
	"github.com/sallyport-auth/sallyport/plugins/mail/submit"
	"github.com/sallyport-auth/sallyport/plugins/mailprovisioning"
	"github.com/sallyport-auth/sallyport/plugins/mailprovisioning/cyrus"
	"github.com/sallyport-auth/sallyport/plugins/mailprovisioning/stalwart"
)

// mailJSON are the options of the plugins mail-provisioning and mail: one mail server on
// loopback, as scripts/cyrus starts it.
type mailJSON struct {
	Domain      string `json:"domain"`
	When        string `json:"when"`
	Provisioner string `json:"provisioner"`
	Address     string `json:"address"`
	User        string `json:"user"`
	Password    string `json:"password"`
	Sasldb      string `json:"sasldb"`
	ServiceKey  string `json:"serviceKey"`
	JMAPURL     string `json:"jmapUrl"`
	SMTP        struct {
		Host   string `json:"host"`
		Port   int    `json:"port"`
		TLS    string `json:"tls"`
		AsUser bool   `json:"asUser"`
	} `json:"smtp"`
}

func (m *mailJSON) provisioning() mailprovisioning.Options {
	o := mailprovisioning.Options{Domain: cmp.Or(m.Domain, "mail.example"), When: m.When, ServiceKey: m.ServiceKey}
	if m.Provisioner == "stalwart" {
		o.Stalwart = stalwart.Options{URL: m.Address, User: cmp.Or(m.User, "admin"), Password: m.Password}
		return o
	}
	o.Cyrus = cyrus.Options{Address: m.Address, TLS: "none", Admin: cmp.Or(m.User, "cyrus"), Password: cmp.Or(m.Password, "cyrus")}
	if m.Sasldb != "" {
		o.Cyrus.PasswordCommand = []string{"saslpasswd2", "-p", "-c", "-f", m.Sasldb, "{name}"}
	}
	return o
}

func (m *mailJSON) api() mail.Options {
	o := mail.Options{URL: m.JMAPURL}
	if m.SMTP.Port != 0 {
		o.SMTP = submit.Options{Host: cmp.Or(m.SMTP.Host, "127.0.0.1"), Port: m.SMTP.Port, TLS: cmp.Or(m.SMTP.TLS, "none"), AsUser: m.SMTP.AsUser}
	}
	return o
}
