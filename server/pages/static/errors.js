// Words for what went wrong. Codes are the wire's; a code that is not listed here is
// never shown, because it may come from the address bar.

const signIn = "The email address or the password is not right.";
const link = "This link is not valid. It may have been used already, or a newer one was sent.";
const gone = "You are signed out. Sign in to go on.";

const words = new Map(Object.entries({
  INVALID_EMAIL_OR_PASSWORD: signIn,
  INVALID_PASSWORD: "The password is not right.",
  INVALID_EMAIL: "This is not an email address.",
  EMAIL_NOT_VERIFIED: "Your email address is not verified yet.",
  USER_ALREADY_EXISTS: "There is an account with this email address already. Sign in instead.",
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: "There is an account with this email address already. Sign in instead.",
  PASSWORD_TOO_SHORT: "The password is too short.",
  PASSWORD_TOO_LONG: "The password is too long.",
  PASSWORD_COMPROMISED: "This password is known from a data leak. Choose another one.",
  INVALID_TOKEN: link,
  TOKEN_EXPIRED: "This link has expired. Ask for a new one.",
  EXPIRED_TOKEN: "This link has expired. Ask for a new one.",
  ATTEMPTS_EXCEEDED: "This link was tried too often. Ask for a new one.",
  NEW_USER_SIGNUP_DISABLED: "There is no account with this address, and new accounts cannot be made here.",
  USER_NOT_FOUND: "The account of this link is no longer there.",
  INVALID_USER: "This link belongs to another account than the one you are signed in with. Sign out and open it again.",
  EMAIL_ALREADY_VERIFIED: "This email address is verified already.",
  EMAIL_MISMATCH: "This is not the email address of your account.",
  VERIFICATION_EMAIL_NOT_ENABLED: "This site does not send verification mails.",
  RESET_PASSWORD_DISABLED: "Passwords cannot be reset here. Ask the people who run this site.",
  CHANGE_EMAIL_DISABLED: "The email address cannot be changed here.",
  EMAIL_PASSWORD_DISABLED: "Signing in with a password is switched off.",
  EMAIL_PASSWORD_SIGN_UP_DISABLED: "New accounts cannot be made here.",
  SIGN_UP_DISABLED: "New accounts cannot be made here.",
  CREDENTIAL_ACCOUNT_NOT_FOUND: "This account has no password yet. Sign out and choose “Forgot your password?” to set one.",
  SESSION_EXPIRED: "It has been a while since you signed in. Sign in again to do this.",
  SESSION_NOT_FRESH: "It has been a while since you signed in. Sign in again to do this.",
  UNAUTHORIZED: gone,
  INVALID_ORIGIN: "This address is not allowed to talk to the server. Tell the people who run this site.",
  MISSING_OR_NULL_ORIGIN: "The browser did not say where the request comes from, so it was refused.",
  CROSS_SITE_NAVIGATION_LOGIN_BLOCKED: "The request came from another site, so it was refused.",
  INVALID_CALLBACK_URL: "The address to return to is not allowed.",
  INVALID_REDIRECT_URL: "The address to return to is not allowed.",
  VALIDATION_ERROR: "Something is missing or not in the right form. Check what you entered.",
  BANNED_USER: "This account is blocked. Ask the people who run this site.",
  ACCOUNT_LOCKED: "There were too many failed tries. Wait a while, or reset your password.",
  INVALID_CODE: "The code is not right. Wait for the next one, and check the clock of the device that shows it.",
  INVALID_BACKUP_CODE: "This is not one of your unused backup codes.",
  INVALID_TWO_FACTOR_COOKIE: "It took too long, or this step was done already. Sign in again.",
  OTP_HAS_EXPIRED: "This code is no longer valid. Ask for a new one.",
  OTP_NOT_CONFIGURED: "Codes by mail are not available.",
  TOTP_ALREADY_ENABLED: "An authenticator app is set up already. Turn two-step sign-in off first to change it.",
  TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE: "Too many wrong codes. Sign in again, or ask for a new code.",
  FAILED_TO_CREATE_USER: "The account could not be made. Try again.",
  FAILED_TO_CREATE_SESSION: "You could not be signed in. Try again.",
  FAILED_TO_GET_SESSION: "The server could not read your session. Try again.",
  CONFIRMATION_FAILED: "Open the link in the mail once more, in this browser. It needs cookies.",
  CHALLENGE_NOT_FOUND: "It took too long. Try again.",
  FAILED_TO_VERIFY_REGISTRATION: "The passkey could not be added. Try again, perhaps with another device.",
  YOU_ARE_NOT_ALLOWED_TO_REGISTER_THIS_PASSKEY: "This passkey belongs to another account.",
  PREVIOUSLY_REGISTERED: "This passkey is known already.",
  PASSKEY_NOT_FOUND: "This passkey is not known here. It may have been deleted from its account.",
  AUTHENTICATION_FAILED: "The passkey could not be confirmed. Try again.",
  TOO_MANY_PASSKEYS: "There are too many passkeys. Delete one first.",
  TOO_MANY_REQUESTS: "Too many tries. Wait a moment and try again.",
  SERVICE_UNAVAILABLE: "The service cannot be reached at the moment. Try again soon.",
  OFFLINE: "The server does not answer. Check your connection and try again.",
  TIMEOUT: "The server took too long to answer. Try again.",
}));

const unknown = "Something went wrong. Try again, and tell the people who run this site if it goes on.";

/** What a code means, or a general sentence: for codes that anybody can put into a URL. */
export function explain(code) {
  return words.get(String(code ?? "").toUpperCase()) ?? unknown;
}

/** What an answer of the server means. Its own message is used for codes of plugins. */
export function readable({ code, status, message, retryAfter }) {
  if (status === 429) return `Too many tries. ${when(retryAfter, "Wait a moment and try again.")}`;
  if (status === 503) return `The service is busy. ${when(retryAfter, "Try again soon.")}`;
  if (words.has(code)) return words.get(code);
  if (status === 401) return gone;
  if (status >= 500 || !message) return unknown;
  return message.slice(0, 300);
}

function when(seconds, otherwise) {
  if (!(seconds > 0)) return otherwise;
  if (seconds < 90) return `Try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `Try again in ${minutes} minutes.` : `Try again in ${Math.ceil(minutes / 60)} hours.`;
}
