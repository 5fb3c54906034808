package core

import (
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// checkBan refuses a banned user, whoever wrote the ban: the columns are those of Better
// Auth's admin plugin and count as soon as they are there.
func checkBan(u *User, now time.Time) error {
	banned, _ := u.Extra["banned"].(bool)
	until, limited := u.Extra["banExpires"].(time.Time)
	if banned && (!limited || until.After(now)) {
		return ErrBanned
	}
	return nil
}

// holdBan is what must touch the user's row if there is to be a session, where the database
// knows bans: checkBan has looked at a row that may be as old as a hash takes. It holds a ban
// back until there is the session: who bans and then ends the sessions finds it among them.
// It is the first to lock, before the password's account: so do all that lock both.
func (h *Host) holdBan(userID string, now time.Time) []storage.Statement {
	if h.sql.notBanned == "" {
		return nil
	}
	args := []any{userID, false}
	if h.banExpires {
		args = append(args, now)
	}
	return []storage.Statement{{SQL: h.sql.notBanned, Args: args, Must: true}}
}

// notBanned is checkBan's opposite as a statement, and tells whether it takes the time; empty
// where users have no such column.
func notBanned(user *schema.Table) (sql string, expires bool) {
	if c := user.Column("banned"); c == nil || c.Kind != schema.Bool {
		return "", false
	}
	sql = "UPDATE {user=} SET {user:updatedAt} = {user.updatedAt} WHERE {user.id} = ? AND ({user.banned} IS NULL OR {user.banned} = ?"
	if c := user.Column("banExpires"); c != nil && c.Kind == schema.Time {
		sql, expires = sql+" OR {user.banExpires} <= ?", true
	}
	return sql + ")", expires
}

// CheckBan refuses a banned user, for what goes on with a session that is there. The gate
// does it by itself.
func (h *Host) CheckBan(u *User) error { return checkBan(u, h.Now()) }
