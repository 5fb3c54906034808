package core

// Core's own types of events. The part before the dot is what it happened to.
const (
	EventSignUp                 = "sign-up"
	EventSignIn                 = "sign-in"
	EventSignInChallenged       = "sign-in.challenged"
	EventSignInFailed           = "sign-in.failed"
	EventSignOut                = "sign-out"
	EventSessionRevoked         = "session.revoked"
	EventUserUpdated            = "user.updated"
	EventUserClaimed            = "user.claimed"
	EventUserDeleted            = "user.deleted"
	EventAccountLocked          = "account.locked"
	EventAccountUnlocked        = "account.unlocked"
	EventAccountUnlinked        = "account.unlinked"
	EventPasswordSet            = "password.set"
	EventPasswordChanged        = "password.changed"
	EventPasswordResetRequested = "password.reset-requested"
	EventPasswordReset          = "password.reset"
	EventEmailVerified          = "email.verified"
	EventEmailChangeRequested   = "email.change-requested"
	EventEmailChanged           = "email.changed"
	EventPasskeyFailed          = "passkey.failed"
	EventServiceError           = "service.error"
)

// coreEvents are declared by the owner "core".
var coreEvents = []EventType{
	{EventSignUp, "A user was made. Detail: method.", "REGISTER"},
	{EventSignIn, "A user signed in. Detail: methods, aal, session.", "LOGIN_SUCCESS"},
	{EventSignInChallenged, "A first proof was right, and a second factor is asked for. Detail: methods, offered.", ""},
	{EventSignInFailed, "A sign-in, or a proof of identity, failed. Detail: path, code.", "LOGIN_FAILURE"},
	{EventSignOut, "A user signed out. Detail: session.", "LOGOUT"},
	{EventSessionRevoked, "Sessions were ended from elsewhere. Detail: scope (one, others, all), session.", ""},
	{EventUserUpdated, "A user changed their profile. Detail: fields (names, no values).", "PROFILE_UPDATED"},
	{EventUserClaimed, "An address was proved for the first time by who may not have made the account: passwords and sessions from before are gone.", ""},
	{EventUserDeleted, "A user was deleted.", "ACCOUNT_DELETED"},
	{EventAccountLocked, "A guess was refused: too many before it were wrong, and the account is locked for a while. Detail: path, code.", "ACCOUNT_LOCKED"},
	{EventAccountUnlocked, "A lock was lifted before its time.", ""},
	{EventAccountUnlinked, "A way in was removed. Detail: provider.", ""},
	{EventPasswordSet, "A user without a password got one.", "PASSWORD_CHANGED"},
	{EventPasswordChanged, "A user changed their password.", "PASSWORD_CHANGED"},
	{EventPasswordResetRequested, "A link to reset the password was asked for. Without a user: for an address that nobody has.", "PASSWORD_RESET_REQUESTED"},
	{EventPasswordReset, "A password was reset by a mailed link.", "PASSWORD_RESET_COMPLETED"},
	{EventEmailVerified, "An address was proved.", "EMAIL_VERIFIED"},
	{EventEmailChangeRequested, "A user asked for another address.", "EMAIL_CHANGE_REQUESTED"},
	{EventEmailChanged, "A user has another address.", ""},
	{EventPasskeyFailed, "A passkey proved nothing. Detail: path, code.", "PASSKEY_LOGIN_FAILURE"},
	{EventServiceError, "A request failed on account of the service: database, mail, a fault of ours. Detail: path, code.", "SERVICE_ERROR"},
}

// EventTypes lists the types of core and all plugins, in their order.
func (a *Auth) EventTypes() []EventType {
	var out []EventType
	for _, s := range a.h.specs {
		out = append(out, s.Events...)
	}
	return out
}
