package adopt

import "strings"

// known is a table of Better Auth 1.7, or the columns that one of its plugins adds to one.
type known struct {
	table, plugin string
	// columns by their logical names, others behind a bar; an exclamation mark is NOT NULL
	// in Better Auth.
	columns string
	// also are other names that the table goes by.
	also []string
	// mana tells that the table is not Better Auth's but that system's, and a plugin here.
	mana bool
}

// catalogue is every table of Better Auth and its plugins, those of plugins that have no
// counterpart here included: who uses them has to know.
var catalogue = []known{
	{table: "user", columns: "id! name! email! emailVerified! image createdAt! updatedAt!"},
	{table: "session", columns: "id! expiresAt! token! createdAt! updatedAt! ipAddress userAgent userId!"},
	{table: "account", columns: "id! accountId! providerId! userId! accessToken refreshToken idToken accessTokenExpiresAt refreshTokenExpiresAt scope password createdAt! updatedAt! issuer"},
	{table: "verification", columns: "id! identifier! value! expiresAt! createdAt! updatedAt!", also: []string{"verificationToken"}},
	{table: "rateLimit", columns: "id! key! count! lastRequest!"},
	{table: "twoFactor", plugin: "two-factor", columns: "id! secret! backupCodes! userId! verified failedVerificationCount lockedUntil", also: []string{"twoFactorAuth"}},
	{table: "user", plugin: "two-factor", columns: "twoFactorEnabled"},
	{table: "organization", plugin: "organization", columns: "id! name! slug! logo createdAt! metadata"},
	{table: "member", plugin: "organization", columns: "id! organizationId! userId! role! createdAt!"},
	{table: "invitation", plugin: "organization", columns: "id! organizationId! email! role teamId status! expiresAt! createdAt! inviterId!"},
	{table: "session", plugin: "organization", columns: "activeOrganizationId activeTeamId"},
	{table: "team", plugin: "organization", columns: "id! name! memberCount organizationId! createdAt! updatedAt"},
	{table: "teamMember", plugin: "organization", columns: "id! teamId! userId! membershipKey createdAt"},
	{table: "organizationRole", plugin: "organization", columns: "id! organizationId! role! permission! createdAt! updatedAt"},
	{table: "passkey", plugin: "passkey", columns: "id! name|friendlyName publicKey! userId! credentialID! counter! deviceType! backedUp! transports createdAt aaguid"},
	{table: "jwks", plugin: "jwt", columns: "id! publicKey! privateKey! createdAt! expiresAt alg crv"},
	{table: "user", plugin: "admin", columns: "role banned|isBanned banReason|banMessage banExpires|banExpiresAt|bannedUntil"},
	{table: "session", plugin: "admin", columns: "impersonatedBy"},
	{table: "user", plugin: "username", columns: "username displayUsername"},
	{table: "user", plugin: "anonymous", columns: "isAnonymous"},
	{table: "user", plugin: "phone-number", columns: "phoneNumber phoneNumberVerified"},
	{table: "user", plugin: "last-login-method", columns: "lastLoginMethod"},
	{table: "user", plugin: "stripe", columns: "stripeCustomerId"},
	{table: "apikey", plugin: "api-key", columns: "id! configId name start referenceId userId prefix key! refillInterval refillAmount lastRefillAt enabled rateLimitEnabled rateLimitTimeWindow rateLimitMax requestCount remaining lastRequest expiresAt createdAt updatedAt permissions metadata"},
	{table: "deviceCode", plugin: "device-authorization", columns: "id! deviceCode! userCode! userId expiresAt! status! lastPolledAt pollingInterval clientId scope"},
	{table: "walletAddress", plugin: "siwe", columns: "id! userId! address! chainId! isPrimary createdAt"},
	{table: "ssoProvider", plugin: "sso", columns: "id! issuer! domain! oidcConfig samlConfig userId providerId! organizationId"},
	{table: "scimProvider", plugin: "scim", columns: "id! providerId! scimToken! organizationId"},
	{table: "oauthApplication", plugin: "oidc-provider", columns: "id! clientId! clientSecret name type"},
	{table: "oauthClient", plugin: "oauth-provider", columns: "id! clientId! clientSecret name"},
	{table: "encryptionVault", plugin: "vault", mana: true, columns: "userId! wrappedMk! wrapIv! formatVersion! kekId! keyVersion keyCheck recoveryWrappedMk! recoveryIv! recoveryFormatVersion recoverySetAt zeroKnowledge! createdAt! rotatedAt"},
	{table: "encryptionVaultAudit", plugin: "vault", mana: true, columns: "id! userId! action! ipAddress userAgent context status! createdAt!"},
	{table: "subscription", plugin: "stripe", columns: "id! plan! referenceId! status"},
}

// Plugins of Better Auth and the ones here that take their place.
var plugins = map[string]string{"two-factor": "two-factor", "organization": "organization", "passkey": "passkey", "jwt": "jwt"}

// column is a known column.
type column struct {
	name, plugin string
	must         bool
	also         []string // other names that the column goes by
}

func (k *known) list() (out []column) {
	for _, f := range strings.Fields(k.columns) {
		name, must := strings.CutSuffix(f, "!")
		names := strings.Split(name, "|")
		out = append(out, column{names[0], k.plugin, must, names[1:]})
	}
	return out
}

// entry is a known table with all that plugins add to it.
type entry struct {
	name, plugin string
	also         []string
	columns      []column
	mana         bool
}

// entries are the tables of the catalogue, each once.
func entries() (out []entry) {
next:
	for _, k := range catalogue {
		for i := range out {
			if out[i].name == k.table {
				out[i].columns = append(out[i].columns, k.list()...)
				continue next
			}
		}
		out = append(out, entry{k.table, k.plugin, k.also, k.list(), k.mana})
	}
	return out
}

// norm makes names comparable: small letters and digits alone. A name with anything but
// letters, digits, underscores, hyphens and spaces is like no other: the result is empty.
func norm(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= 'A' && r <= 'Z':
			b.WriteRune(r + 'a' - 'A')
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '_' || r == '-' || r == ' ':
		default:
			return ""
		}
	}
	return b.String()
}

// tableKey is norm of a table's name without the ending of a plural.
func tableKey(s string) string {
	n := norm(s)
	switch {
	case strings.HasSuffix(n, "ies"):
		return strings.TrimSuffix(n, "ies") + "y"
	case strings.HasSuffix(n, "sses"):
		return strings.TrimSuffix(n, "es")
	case strings.HasSuffix(n, "ss"):
		return n
	}
	return strings.TrimSuffix(n, "s")
}
