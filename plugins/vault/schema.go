package vault

import (
	"context"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Vault is one user's master key, wrapped. The defaults are those of rows that the old
// system writes into the same table.
type Vault struct {
	UserID                string     `db:"userId" schema:"key,references=user,cascade"`
	WrappedMK             *string    `db:"wrappedMk" schema:"hidden"` // by the server's key; NULL with zero knowledge
	WrapIV                *string    `db:"wrapIv" schema:"hidden"`
	FormatVersion         int        `db:"formatVersion" schema:"default=1"`
	KekID                 string     `db:"kekId" schema:"default=env-v1"`
	KeyVersion            int        `db:"keyVersion" schema:"default=1"` // of the master key: every rotation adds one
	KeyCheck              *string    `db:"keyCheck"`
	RecoveryWrappedMK     *string    `db:"recoveryWrappedMk" schema:"hidden"` // by the user's recovery code
	RecoveryIV            *string    `db:"recoveryIv" schema:"hidden"`
	RecoveryFormatVersion int        `db:"recoveryFormatVersion" schema:"default=1"`
	RecoverySetAt         *time.Time `db:"recoverySetAt"`
	ZeroKnowledge         bool       `db:"zeroKnowledge" schema:"default=false"`
	CreatedAt             time.Time  `db:"createdAt" schema:"now"`
	RotatedAt             *time.Time `db:"rotatedAt"`
}

// wrapped is the master key as the server has it.
func (v *Vault) wrapped() contract.WrappedKey {
	return contract.WrappedKey{KeyID: v.KekID, Ciphertext: *v.WrappedMK, IV: *v.WrapIV}
}

// AuditRow says that somebody did something with a vault, or tried to. It holds no key
// material.
type AuditRow struct {
	ID        string    `db:"id" schema:"key"`
	UserID    string    `db:"userId"` // not a reference: the row outlives the account
	Action    string    `db:"action"`
	IPAddress *string   `db:"ipAddress"`
	UserAgent *string   `db:"userAgent"`
	Context   *string   `db:"context"`
	Status    int       `db:"status"` // the answer's
	CreatedAt time.Time `db:"createdAt" schema:"now"`
}

var (
	vaults     = core.TableOf[Vault]("encryptionVault")
	colUser    = core.Column(vaults, func(v *Vault) *string { return &v.UserID })
	colWrapped = core.Column(vaults, func(v *Vault) **string { return &v.WrappedMK })
	colIV      = core.Column(vaults, func(v *Vault) **string { return &v.WrapIV })
	colFormat  = core.Column(vaults, func(v *Vault) *int { return &v.FormatVersion })
	colKek     = core.Column(vaults, func(v *Vault) *string { return &v.KekID })
	colVersion = core.Column(vaults, func(v *Vault) *int { return &v.KeyVersion })
	colCheck   = core.Column(vaults, func(v *Vault) **string { return &v.KeyCheck })
	colRecover = core.Column(vaults, func(v *Vault) **string { return &v.RecoveryWrappedMK })
	colRecIV   = core.Column(vaults, func(v *Vault) **string { return &v.RecoveryIV })
	colRecForm = core.Column(vaults, func(v *Vault) *int { return &v.RecoveryFormatVersion })
	colRecSet  = core.Column(vaults, func(v *Vault) **time.Time { return &v.RecoverySetAt })
	colZero    = core.Column(vaults, func(v *Vault) *bool { return &v.ZeroKnowledge })
	colRotated = core.Column(vaults, func(v *Vault) **time.Time { return &v.RotatedAt })

	audits      = core.TableOf[AuditRow]("encryptionVaultAudit", schema.Index{Columns: []string{"userId", "createdAt", "id"}})
	auditUser   = core.Column(audits, func(a *AuditRow) *string { return &a.UserID })
	auditAt     = core.Column(audits, func(a *AuditRow) *time.Time { return &a.CreatedAt })
	auditID     = core.Column(audits, func(a *AuditRow) *string { return &a.ID })
	auditIP     = core.Column(audits, func(a *AuditRow) **string { return &a.IPAddress })
	auditDevice = core.Column(audits, func(a *AuditRow) **string { return &a.UserAgent })
)

// tables declares whose rows they are, and that the audit only grows.
func tables() []schema.Table {
	v, a := vaults.Schema(), audits.Schema()
	v.RowSecurity = "userId"
	a.RowSecurity, a.AppendOnly, a.Erasable = "userId", true, []string{"ipAddress", "userAgent"}
	return []schema.Table{v, a}
}

// steps are what PostgreSQL checks of every row, whoever writes it. SQLite cannot add a
// check to a table; there the plugin alone keeps them.
var steps = []storage.Step{{Number: 1, Name: "checks", SQL: map[storage.Dialect][]string{storage.Postgres: {
	`ALTER TABLE {encryptionVault} ADD CONSTRAINT "vault_has_wrap" CHECK ({encryptionVault:wrappedMk} IS NOT NULL OR {encryptionVault:recoveryWrappedMk} IS NOT NULL)`,
	`ALTER TABLE {encryptionVault} ADD CONSTRAINT "vault_wrap_iv_pair" CHECK (({encryptionVault:wrappedMk} IS NULL) = ({encryptionVault:wrapIv} IS NULL) AND ({encryptionVault:recoveryWrappedMk} IS NULL) = ({encryptionVault:recoveryIv} IS NULL))`,
	`ALTER TABLE {encryptionVault} ADD CONSTRAINT "vault_zero_knowledge" CHECK (NOT {encryptionVault:zeroKnowledge} OR {encryptionVault:wrappedMk} IS NULL AND {encryptionVault:recoveryWrappedMk} IS NOT NULL)`,
}}}}

// find reads a user's vault; nil if there is none. Without row-level security the
// condition alone keeps users apart, so that it is never left out.
func find(ctx context.Context, q storage.Conn, userID string) (*Vault, error) {
	v, found, err := vaults.Get(ctx, q, colUser.Eq(userID))
	if err != nil || !found {
		return nil, err
	}
	return &v, nil
}

// data is what is kept about a user: what the vault is like, never a key.
func (p *Plugin) data() core.DataSet {
	return core.DataSet{
		Name: "vault",
		Export: func(ctx context.Context, _ storage.Conn, userID string) (any, error) {
			var out struct {
				Status StatusAnswer `json:"status"`
				Audit  []Entry      `json:"audit"`
			}
			err := p.host.TxAs(ctx, userID, func(ctx context.Context, tx *core.Tx) error {
				v, err := find(ctx, tx, userID)
				if err != nil {
					return err
				}
				list, err := audits.List(ctx, tx, newestFirst(0), auditUser.Eq(userID))
				out.Status, out.Audit = status(v), entries(list)
				return err
			})
			return out, err
		},
		Erase: func(ctx context.Context, tx *core.Tx, userID string) error {
			if err := p.host.ActFor(ctx, tx, userID); err != nil {
				return err
			}
			if _, err := vaults.Delete(ctx, tx, colUser.Eq(userID)); err != nil {
				return err
			}
			_, err := audits.Update(ctx, tx, []core.Set{auditIP.SetNull(), auditDevice.SetNull()}, auditUser.Eq(userID))
			return err
		},
	}
}
