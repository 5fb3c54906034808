// Package vault keeps one master key for every user, with which clients encrypt what the
// server must not read by itself: notes, tasks, a journal. The server stores the key
// wrapped, and with zero knowledge not even that.
//
// # Flow
//
// A client asks for the key (POST /vault/init makes it, GET /vault/key fetches it) and
// encrypts its records with it. The key is 32 random bytes. In the database it is wrapped
// by a key-encryption key that lies outside of it: in a keyring (environment, file), or in
// a Vault or OpenBao server that never gives it out (package transit). "sallyport vault
// rewrap" moves all wraps to a new key-encryption key while servers go on.
//
// With a recovery code (32 random bytes, shown as 64 hexadecimal digits) the client wraps
// the master key once more, by itself, and leaves that wrap here (POST /vault/recovery-wrap).
// Then zero knowledge may be switched on: the server forgets its own wrap, and only the
// code opens the vault. Switching it off takes the master key, which is compared with a
// check value, so that a wrong one cannot orphan the data.
//
// # What holds
//
// A wrap is bound to its user, key-encryption key, format and key version (AES-256-GCM with
// associated data): copied to another user's row, or back from before a rotation, it does
// not open. Rows that the old system wrote are bound to nothing until rewrap or a rotation;
// they are read as they are.
//
// On PostgreSQL, both tables have row-level security, forced, on app.current_user_id, which
// every transaction sets: no statement sees another user's rows, not even a faulty one. A
// role that it does not bind (a superuser, BYPASSRLS) keeps the server from starting.
// SQLite has none: there the condition on the user's id in every statement is all.
//
// The audit only grows, by triggers of the database, and every action is in it, also those
// that were refused or failed. It stays when the account is deleted, without address and
// device. No key is in it. A service whose role owns the tables could drop the triggers:
// migrate as another role, and give the service SELECT, INSERT, UPDATE and DELETE.
//
// Getting the key, rotating, replacing or clearing the recovery wrap and switching zero
// knowledge want a session that began recently, and the second factor of a user who has
// one. A rotation names the version it replaces; of two devices one wins. A
// session that is ended while an action is under way gets no key by it, and changes nothing.
//
// # What does not hold
//
// Zero knowledge forgets what is in the table from then on. Backups, write-ahead logs and
// replicas hold the older wrap for as long as they are kept (on PostgreSQL, the dead row
// until VACUUM), and whoever has both one of them and the key-encryption key can open it.
// Rotate first, then switch zero knowledge on at once: what is left behind then opens only
// what was encrypted in between. The key was in this process once; its buffers are
// overwritten after use, but the text of an answer is not ours to overwrite.
//
// Whoever makes an account with an address that is not theirs may make its vault, and knows
// the key. The owner's first proof of the address leaves it, since it may as well be the
// owner who made it, and everything of theirs with it. Where accounts are used before their
// address is proved, rotate at that proof, or want it before there is a vault.
package vault
