package mailprovisioning

import (
	"github.com/sallyport-auth/sallyport/plugins/mailprovisioning/cyrus"
	"github.com/sallyport-auth/sallyport/plugins/mailprovisioning/stalwart"
)

func stalwartAt(url string) stalwart.Options {
	return stalwart.Options{URL: url, User: "admin", Password: "x"}
}

func cyrusAt(addr string) cyrus.Options {
	return cyrus.Options{Address: addr, Admin: "cyrus", Password: "x"}
}
