// Words for what went wrong. Codes are the wire's; a code that is not listed here is
import { k, t } from "./language.js";
// never shown, because it may come from the address bar.

const signIn = k("The email address or the password is not right.");
const link = k("This link is not valid. It may have been used already, or a newer one was sent.");
const gone = k("You are signed out. Sign in to go on.");

const words = new Map(Object.entries({
  INVALID_EMAIL_OR_PASSWORD: signIn,
  INVALID_PASSWORD: k("The password is not right."),
  INVALID_EMAIL: k("This is not an email address."),
  EMAIL_NOT_VERIFIED: k("Your email address is not verified yet."),
  USER_ALREADY_EXISTS: k("There is an account with this email address already. Sign in instead."),
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: k("There is an account with this email address already. Sign in instead."),
  PASSWORD_TOO_SHORT: k("The password is too short."),
  PASSWORD_TOO_LONG: k("The password is too long."),
  PASSWORD_COMPROMISED: k("This password is known from a data leak. Choose another one."),
  INVALID_TOKEN: link,
  TOKEN_EXPIRED: k("This link has expired. Ask for a new one."),
  EXPIRED_TOKEN: k("This link has expired. Ask for a new one."),
  ATTEMPTS_EXCEEDED: k("This link was tried too often. Ask for a new one."),
  NEW_USER_SIGNUP_DISABLED: k("There is no account with this address, and new accounts cannot be made here."),
  USER_NOT_FOUND: k("The account of this link is no longer there."),
  INVALID_USER: k("This link belongs to another account than the one you are signed in with. Sign out and open it again."),
  EMAIL_ALREADY_VERIFIED: k("This email address is verified already."),
  EMAIL_MISMATCH: k("This is not the email address of your account."),
  VERIFICATION_EMAIL_NOT_ENABLED: k("This site does not send verification mails."),
  RESET_PASSWORD_DISABLED: k("Passwords cannot be reset here. Ask the people who run this site."),
  CHANGE_EMAIL_DISABLED: k("The email address cannot be changed here."),
  EMAIL_PASSWORD_DISABLED: k("Signing in with a password is switched off."),
  EMAIL_PASSWORD_SIGN_UP_DISABLED: k("New accounts cannot be made here."),
  SIGN_UP_DISABLED: k("New accounts cannot be made here."),
  CREDENTIAL_ACCOUNT_NOT_FOUND: k("This account has no password yet. Sign out and choose “Forgot your password?” to set one."),
  SESSION_EXPIRED: k("It has been a while since you signed in. Sign in again to do this."),
  SESSION_NOT_FRESH: k("It has been a while since you signed in. Sign in again to do this."),
  UNAUTHORIZED: gone,
  INVALID_ORIGIN: k("This address is not allowed to talk to the server. Tell the people who run this site."),
  MISSING_OR_NULL_ORIGIN: k("The browser did not say where the request comes from, so it was refused."),
  CROSS_SITE_NAVIGATION_LOGIN_BLOCKED: k("The request came from another site, so it was refused."),
  INVALID_CALLBACK_URL: k("The address to return to is not allowed."),
  INVALID_REDIRECT_URL: k("The address to return to is not allowed."),
  VALIDATION_ERROR: k("Something is missing or not in the right form. Check what you entered."),
  BANNED_USER: k("This account is blocked. Ask the people who run this site."),
  ACCOUNT_LOCKED: k("There were too many failed tries. Wait a while, or reset your password."),
  INVALID_CODE: k("The code is not right. Wait for the next one, and check the clock of the device that shows it."),
  INVALID_BACKUP_CODE: k("This is not one of your unused backup codes."),
  INVALID_TWO_FACTOR_COOKIE: k("It took too long, or this step was done already. Sign in again."),
  OTP_HAS_EXPIRED: k("This code is no longer valid. Ask for a new one."),
  OTP_NOT_CONFIGURED: k("Codes by mail are not available."),
  TOTP_ALREADY_ENABLED: k("An authenticator app is set up already. Turn two-step sign-in off first to change it."),
  TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE: k("Too many wrong codes. Sign in again, or ask for a new code."),
  FAILED_TO_CREATE_USER: k("The account could not be made. Try again."),
  FAILED_TO_CREATE_SESSION: k("You could not be signed in. Try again."),
  FAILED_TO_GET_SESSION: k("The server could not read your session. Try again."),
  CONFIRMATION_FAILED: k("Open the link in the mail once more, in this browser. It needs cookies."),
  CHALLENGE_NOT_FOUND: k("It took too long. Try again."),
  FAILED_TO_VERIFY_REGISTRATION: k("The passkey could not be added. Try again, perhaps with another device."),
  YOU_ARE_NOT_ALLOWED_TO_REGISTER_THIS_PASSKEY: k("This passkey belongs to another account."),
  PREVIOUSLY_REGISTERED: k("This passkey is known already."),
  PASSKEY_NOT_FOUND: k("This passkey is not known here. It may have been deleted from its account."),
  AUTHENTICATION_FAILED: k("The passkey could not be confirmed. Try again."),
  TOO_MANY_PASSKEYS: k("There are too many passkeys. Delete one first."),
  TOO_MANY_REQUESTS: k("Too many tries. Wait a moment and try again."),
  SERVICE_UNAVAILABLE: k("The service cannot be reached at the moment. Try again soon."),
  OFFLINE: k("The server does not answer. Check your connection and try again."),
  TIMEOUT: k("The server took too long to answer. Try again."),
}));

const unknown = k("Something went wrong. Try again, and tell the people who run this site if it goes on.");

/** What a code means, or a general sentence: for codes that anybody can put into a URL. */
export function explain(code) {
  return t(words.get(String(code ?? "").toUpperCase()) ?? unknown);
}

/** What an answer of the server means. Its own message is used for codes of plugins. */
export function readable({ code, status, message, retryAfter }) {
  if (status === 429) return `${t("Too many tries.")} ${when(retryAfter, t("Wait a moment and try again."))}`;
  if (status === 503) return `${t("The service is busy.")} ${when(retryAfter, t("Try again soon."))}`;
  if (words.has(code)) return t(words.get(code));
  if (status === 401) return t(gone);
  if (status >= 500 || !message) return t(unknown);
  return message.slice(0, 300);
}

function when(seconds, otherwise) {
  if (!(seconds > 0)) return otherwise;
  if (seconds < 90) return t("Try again in {n} seconds.", { n: seconds });
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? t("Try again in {n} minutes.", { n: minutes }) : t("Try again in {n} hours.", { n: Math.ceil(minutes / 60) });
}
