package contract

import "errors"

// Permanent marks the error of a job or Mailer as one that no further try can mend, as a
// recipient whom the mail server does not know: the job is given up at once, and kept for
// the operator. Where in doubt, leave it out: a job that is tried for nothing costs less than
// one that is lost. What is wrong with the whole service (a password that is refused,
// an address that nobody answers at) is no fault of the job, and not permanent. The text is
// err's; nil stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent tells whether Permanent has marked err, or something that it wraps.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }
