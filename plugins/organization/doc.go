// Package organization groups users: organizations with members, roles and invitations,
// and, where they are switched on, teams and roles that organizations make for themselves.
//
// # Flow
//
// Whoever makes an organization has the creator's role ("owner"). Members invite others by
// address; the invitation's id is mailed, and the recipient accepts or rejects it with a
// session of that address. What a member may do follows from the roles in their row: a
// role is actions by resource (package access), by configuration or in the database.
//
// The session holds which organization and team a client works with, and nothing that
// would grant anything: every request reads the member's row and the organization's own
// roles, in one statement. Apps ask the same way (Plugin.Authorize, and the middleware of
// server/nethttp and server/fiber); other plugins take part through package orghook.
//
// # Threats
//
//   - Another organization: its id is found once, from the request or the session, and the
//     same value goes to the check and into every statement (GHSA-h3rm-78g3-j7cp,
//     CVE-2025-64431). A member, team or role of another organization is not there.
//   - Granting more than one holds: a role is given by who holds all of it; the creator's
//     role by its holders. A role that an organization makes holds nothing that its maker
//     does not hold.
//   - An organization without an owner, more members than the limit, a membership twice:
//     every change locks the organization's row and then reads what it depends on. Of two
//     owners who demote each other one fails.
//   - An invitation that is taken twice, or by somebody else: its row is settled by a
//     guarded update; it wants a session with its address, which must be verified
//     (CVE-2026-53514). Organization, role and address come from the row (CVE-2026-1529).
//     Ids of invitations are links: only who may invite sees them, and those of owners'
//     invitations only owners.
//   - Stale rights: nothing is taken from session or cookie cache but the name of the
//     organization (CVE-2024-47060).
//   - Leftovers: deleting an organization deletes all of it in one transaction; ids are
//     random and never used again (CVE-2026-55670). A user who is deleted leaves no row.
//
// Sources: Better Auth 1.7.25, plugins/organization and plugins/access.
package organization
