package organization

import (
	"encoding/json"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/organization/access"
)

// Endpoints of the roles that organizations make for themselves.
var (
	CreateRole = core.NewRoute[CreateRoleInput, CreatedRole]("POST /organization/create-role", core.CachedSession)
	UpdateRole = core.NewRoute[UpdateRoleInput, UpdatedRole]("POST /organization/update-role", core.CachedSession)
	DeleteRole = core.NewRoute[DeleteRoleInput, Success]("POST /organization/delete-role", core.CachedSession)
	ListRoles  = core.NewRoute[OrganizationInput, []Role]("GET /organization/list-roles", core.CachedSession)
	GetRole    = core.NewRoute[GetRoleInput, Role]("GET /organization/get-role", core.CachedSession)
)

// CreateRoleInput is the input of CreateRole.
type CreateRoleInput struct {
	OrganizationID   *string             `json:"organizationId"`
	Role             string              `json:"role"`
	Permission       map[string][]string `json:"permission"`
	AdditionalFields *Fields             `json:"additionalFields"`
}

// Fields are fields of the app's own.
type Fields struct {
	Members core.Members `json:",rest" input:"loose"`
}

// MarshalJSON writes the object.
func (f Fields) MarshalJSON() ([]byte, error) { return Record(f).MarshalJSON() }

// UpdateRoleInput is the input of UpdateRole. Role is one more member: RoleNamed or
// RoleWithID.
type UpdateRoleInput struct {
	OrganizationID *string        `json:"organizationId"`
	Data           UpdateRoleData `json:"data"`
	Role           core.Members   `json:",rest" input:"union"`
}

// RoleNamed names a role of the organization's own, in calls from Go.
func RoleNamed(name string) core.Members { return core.Members{text("roleName", name)} }

// RoleWithID names a role of the organization's own by its id, in calls from Go.
func RoleWithID(id string) core.Members { return core.Members{text("roleId", id)} }

// UpdateRoleData is what changes. Other members set the app's own fields.
type UpdateRoleData struct {
	Permission map[string][]string `json:"permission" input:"optional"`
	RoleName   *string             `json:"roleName"`
	Fields     core.Members        `json:",rest" input:"loose"`
}

// MarshalJSON writes what a request would hold: for calls from Go.
func (d UpdateRoleData) MarshalJSON() ([]byte, error) {
	all := d.Fields
	if d.RoleName != nil {
		all = append(all, text("roleName", *d.RoleName))
	}
	if d.Permission != nil {
		raw, err := json.Marshal(d.Permission)
		if err != nil {
			return nil, err
		}
		all = append(all, core.Member{Name: "permission", Raw: raw})
	}
	return Record{all}.MarshalJSON()
}

// DeleteRoleInput is the input of DeleteRole. Role is one more member: RoleNamed or
// RoleWithID.
type DeleteRoleInput struct {
	OrganizationID *string      `json:"organizationId"`
	Role           core.Members `json:",rest" input:"union"`
}

// GetRoleInput is the input of GetRole: the role by name or by id.
type GetRoleInput struct {
	OrganizationID *string  `query:"organizationId"`
	RoleName       []string `query:"roleName" input:"single,optional"`
	RoleID         []string `query:"roleId" input:"single,optional"`
}

// CreatedRole is the answer of CreateRole.
type CreatedRole struct {
	Success    bool               `json:"success"`
	RoleData   Role               `json:"roleData"`
	Statements access.Permissions `json:"statements"`
}

// UpdatedRole is the answer of UpdateRole.
type UpdatedRole struct {
	Success  bool `json:"success"`
	RoleData Role `json:"roleData"`
}

// Success is the answer of DeleteRole.
type Success struct {
	Success bool `json:"success"`
}

func (p *Plugin) roleEndpoints() []core.Endpoint {
	return []core.Endpoint{CreateRole.Handle(p.createRole), UpdateRole.Handle(p.updateRole), DeleteRole.Handle(p.deleteRole),
		ListRoles.Handle(p.listRoles), GetRole.Handle(p.getRole)}
}
