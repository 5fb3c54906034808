// Made by "sallyport generate ts" from the server's configuration. Do not edit.

/** For inferAdditionalFields(additionalFields). */
export const additionalFields = {
  user: {
    "plan": { type: "string", required: false, defaultValue: "free" },
    "score": { type: "number", required: false, input: false },
    "tags": { type: "string[]", required: false },
  },
  session: {
    "theme": { type: "string", required: false },
  },
} as const;

/** Every code that an answer of the server may have. */
export type ErrorCode =
  | "ACCOUNT_LOCKED"
  | "ACCOUNT_NOT_FOUND"
  | "ACCOUNT_TEMPORARILY_LOCKED"
  | "BACKUP_CODES_NOT_ENABLED"
  | "BAD_REQUEST"
  | "BANNED_USER"
  | "BODY_MUST_BE_AN_OBJECT"
  | "CANNOT_DELETE_A_PRE_DEFINED_ROLE"
  | "CHANGE_EMAIL_DISABLED"
  | "CONFLICT"
  | "CREDENTIAL_ACCOUNT_NOT_FOUND"
  | "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"
  | "EMAIL_ALREADY_VERIFIED"
  | "EMAIL_CAN_NOT_BE_UPDATED"
  | "EMAIL_IS_THE_SAME"
  | "EMAIL_MISMATCH"
  | "EMAIL_NOT_VERIFIED"
  | "EMAIL_PASSWORD_SIGN_UP_DISABLED"
  | "EMAIL_VERIFICATION_REQUIRED_BEFORE_ACCEPTING_OR_REJECTING_INVITATION"
  | "EMAIL_VERIFICATION_REQUIRED_FOR_INVITATION"
  | "FAILED_TO_CREATE_USER"
  | "FAILED_TO_GET_SESSION"
  | "FAILED_TO_GET_USER_INFO"
  | "FAILED_TO_UNLINK_LAST_ACCOUNT"
  | "FIELD_NOT_ALLOWED"
  | "HEADERS_TOO_LARGE"
  | "INTERNAL_SERVER_ERROR"
  | "INVALID_BACKUP_CODE"
  | "INVALID_CALLBACKURL_EXPECTED_A_STRING"
  | "INVALID_CALLBACK_URL"
  | "INVALID_CODE"
  | "INVALID_CURSOR"
  | "INVALID_EMAIL"
  | "INVALID_EMAIL_OR_PASSWORD"
  | "INVALID_ERRORCALLBACKURL_EXPECTED_A_STRING"
  | "INVALID_ERROR_CALLBACK_URL"
  | "INVALID_NEWUSERCALLBACKURL_EXPECTED_A_STRING"
  | "INVALID_NEW_USER_CALLBACK_URL"
  | "INVALID_ORIGIN"
  | "INVALID_PASSWORD"
  | "INVALID_REDIRECTURL_EXPECTED_A_STRING"
  | "INVALID_REDIRECT_URL"
  | "INVALID_RESOURCE"
  | "INVALID_TEAM_ID"
  | "INVALID_TOKEN"
  | "INVALID_TWO_FACTOR_COOKIE"
  | "INVALID_USER"
  | "INVITATION_LIMIT_REACHED"
  | "INVITATION_NOT_FOUND"
  | "INVITER_IS_NO_LONGER_A_MEMBER_OF_THE_ORGANIZATION"
  | "JSON_TOO_DEEP"
  | "MEMBER_NOT_FOUND"
  | "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED"
  | "MISSING_FIELD"
  | "MISSING_OR_NULL_ORIGIN"
  | "MISSING_SESSION_HEADERS_OR_EMAIL_QUERY_PARAMETER"
  | "NOT_AUTHENTICATED"
  | "NOT_FOUND"
  | "NO_ACTIVE_ORGANIZATION"
  | "NO_FIELDS_TO_UPDATE"
  | "ORGANIZATION_ALREADY_EXISTS"
  | "ORGANIZATION_DELETION_DISABLED"
  | "ORGANIZATION_ID_IS_REQUIRED"
  | "ORGANIZATION_MEMBERSHIP_LIMIT_REACHED"
  | "ORGANIZATION_NOT_FOUND"
  | "ORGANIZATION_SLUG_ALREADY_TAKEN"
  | "OTP_HAS_EXPIRED"
  | "OTP_NOT_CONFIGURED"
  | "PASSWORD_ALREADY_SET"
  | "PASSWORD_TOO_LONG"
  | "PASSWORD_TOO_SHORT"
  | "PAYLOAD_TOO_LARGE"
  | "RESET_PASSWORD_DISABLED"
  | "ROLE_IS_ASSIGNED_TO_MEMBERS"
  | "ROLE_NAME_IS_ALREADY_TAKEN"
  | "ROLE_NOT_FOUND"
  | "SERVICE_UNAVAILABLE"
  | "SESSION_EXPIRED"
  | "SESSION_NOT_FRESH"
  | "TEAMS_ARE_NOT_ENABLED"
  | "TEAM_MEMBER_LIMIT_REACHED"
  | "TEAM_NOT_FOUND"
  | "TOKEN_EXPIRED"
  | "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE"
  | "TOO_MANY_REQUESTS"
  | "TOO_MANY_ROLES"
  | "TOTP_ALREADY_ENABLED"
  | "TOTP_NOT_CONFIGURED"
  | "TOTP_NOT_ENABLED"
  | "TWO_FACTOR_NOT_ENABLED"
  | "UNABLE_TO_REMOVE_LAST_TEAM"
  | "UNAUTHORIZED"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"
  | "USER_EMAIL_CANNOT_BE_PASSED_FOR_CLIENT_SIDE_API_CALLS"
  | "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION"
  | "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION"
  | "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION"
  | "USER_IS_NOT_A_MEMBER_OF_THE_TEAM"
  | "USER_NOT_FOUND"
  | "VALIDATION_ERROR"
  | "VERIFICATION_EMAIL_ISNT_ENABLED"
  | "VERIFICATION_EMAIL_NOT_ENABLED"
  | "YOU_ARE_NOT_ALLOWED"
  | "YOU_ARE_NOT_ALLOWED_TO_ACCESS_THIS_ORGANIZATION"
  | "YOU_ARE_NOT_ALLOWED_TO_CANCEL_THIS_INVITATION"
  | "YOU_ARE_NOT_ALLOWED_TO_CREATE_A_NEW_ORGANIZATION"
  | "YOU_ARE_NOT_ALLOWED_TO_CREATE_A_NEW_TEAM_MEMBER"
  | "YOU_ARE_NOT_ALLOWED_TO_CREATE_A_ROLE"
  | "YOU_ARE_NOT_ALLOWED_TO_CREATE_TEAMS_IN_THIS_ORGANIZATION"
  | "YOU_ARE_NOT_ALLOWED_TO_DELETE_A_ROLE"
  | "YOU_ARE_NOT_ALLOWED_TO_DELETE_TEAMS_IN_THIS_ORGANIZATION"
  | "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_MEMBER"
  | "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_ORGANIZATION"
  | "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_TEAM"
  | "YOU_ARE_NOT_ALLOWED_TO_INVITE_USERS_TO_THIS_ORGANIZATION"
  | "YOU_ARE_NOT_ALLOWED_TO_INVITE_USER_WITH_THIS_ROLE"
  | "YOU_ARE_NOT_ALLOWED_TO_LIST_A_ROLE"
  | "YOU_ARE_NOT_ALLOWED_TO_LIST_INVITATIONS"
  | "YOU_ARE_NOT_ALLOWED_TO_READ_A_ROLE"
  | "YOU_ARE_NOT_ALLOWED_TO_REMOVE_A_TEAM_MEMBER"
  | "YOU_ARE_NOT_ALLOWED_TO_UPDATE_A_ROLE"
  | "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER"
  | "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_ORGANIZATION"
  | "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_TEAM"
  | "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION"
  | "YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION"
  | "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER"
  | "YOU_CANNOT_LEAVE_THE_ORGANIZATION_WITHOUT_AN_OWNER"
  | "YOU_DO_NOT_HAVE_AN_ACTIVE_TEAM"
  | "YOU_HAVE_REACHED_THE_MAXIMUM_NUMBER_OF_ORGANIZATIONS"
  | "YOU_HAVE_REACHED_THE_MAXIMUM_NUMBER_OF_TEAMS"
  | "YOU_MUST_BE_IN_AN_ORGANIZATION_TO_CREATE_A_ROLE"
  ;

import { createAccessControl } from "better-auth/plugins/access";

/** Resources and actions of organizations. */
export const statements = { "ac": ["create", "read", "update", "delete"], "invitation": ["create", "cancel"], "invoice": ["read", "pay"], "member": ["create", "update", "delete"], "organization": ["update", "delete"], "team": ["create", "update", "delete"] } as const;

export const ac = createAccessControl(statements);

/** For organizationClient({ ac, roles }). */
export const roles = {
  "admin": ac.newRole({ "ac": ["create", "read", "update", "delete"], "invitation": ["create", "cancel"], "member": ["create", "update", "delete"], "organization": ["update"], "team": ["create", "update", "delete"] }),
  "clerk": ac.newRole({ "invoice": ["read"] }),
  "member": ac.newRole({ "ac": ["read"] }),
  "owner": ac.newRole({ "ac": ["create", "read", "update", "delete"], "invitation": ["create", "cancel"], "member": ["create", "update", "delete"], "organization": ["update", "delete"], "team": ["create", "update", "delete"] }),
};

/** For organizationClient({ schema: organizationFields }). */
export const organizationFields = {
  organization: { additionalFields: {
      "region": { type: "string", required: true },
    } },
  member: { additionalFields: {} },
  invitation: { additionalFields: {} },
  team: { additionalFields: {} },
} as const;
