package server

import (
	"context"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/smtp"
)

// dialTimeout is for one service.
const dialTimeout = 5 * time.Second

// dial tells whether a TCP connection can be made. Nothing is sent.
func dial(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err == nil {
		err = conn.Close()
	}
	return err
}

// hostPort is where a URL leads.
func hostPort(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	case u.Scheme == "redis" || u.Scheme == "rediss":
		port = "6379"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// mailer dials what carries mails.
func (d *doctor) mailer(ctx context.Context) {
	var addr string
	switch m := &d.cfg.Mail; {
	case d.cfg.Core.Mailer != nil:
		d.add(Fine, "mail", "", "the app's own mailer, which is not looked at")
		return
	case m.Driver == "smtp":
		addr = net.JoinHostPort(m.SMTP.Host, strconv.Itoa(smtpPort(m.SMTP.Options)))
	case m.Driver == "notify":
		addr = hostPort(m.Notify.URL)
	case m.Driver == "log":
		d.add(Fine, "mail", "", "on the console, for development")
		return
	default:
		d.add(Warning, "mail", "set mail.driver", "there is no mailer: addresses cannot be verified and passwords cannot be reset")
		return
	}
	if err := dial(ctx, addr); err != nil {
		d.add(Broken, "mail", "start the server or mend the way to it; mails wait as jobs meanwhile", "%s: %v", addr, err)
		return
	}
	d.add(Fine, "mail", "", "%s takes connections", addr)
}

// smtpPort is the port that the mailer would use.
func smtpPort(o smtp.Options) int {
	switch {
	case o.Port != 0:
		return o.Port
	case o.TLS == "implicit":
		return 465
	case o.TLS == "none":
		return 25
	}
	return 587
}

// services dials Redis and the collector of traces.
func (d *doctor) services(ctx context.Context) {
	if raw := d.cfg.Redis.URL; raw != "" {
		if err := dial(ctx, hostPort(raw)); err != nil {
			d.add(Broken, "redis", "start it or mend the way to it; the fallback holds meanwhile (rateLimit.onFailure)", "%v", err)
		} else {
			d.add(Fine, "redis", "", "%s takes connections", hostPort(raw))
		}
	}
	if raw := d.cfg.Tracing.Endpoint; raw != "" {
		if err := dial(ctx, hostPort(raw)); err != nil {
			d.add(Warning, "tracing", "start the collector, or take tracing.endpoint out", "%v", err)
		} else {
			d.add(Fine, "tracing", "", "%s takes connections", hostPort(raw))
		}
	}
}
