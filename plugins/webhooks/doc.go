// Package webhooks tells other services what happens to users, sessions and organizations.
//
// # Flow
//
// A hook runs in the transaction of the change and writes one job for each endpoint that
// wants the type of event: a change that is undone tells nobody, and one that is kept is
// told even if the process dies. A worker sends the job as a signed POST, as the Standard
// Webhooks specification 1.0.0 has it: webhook-id is that of the event and stays,
// webhook-timestamp is that of the attempt. Status 2xx is success; everything else is tried
// again by the rules of core.Job and given up after 16 attempts, which "sallyport outbox"
// lists. 410 ends a delivery: the receiver wants no more.
//
// Deliveries may come more than once (the answer was lost) and in another order than the
// events (one of them was tried again). Receivers drop ids that they have seen.
//
// A receiver that hangs would keep workers from sending mail. After a delivery without an
// answer it is left alone for a while, and then asked by one worker at a time, until it
// answers. This is kept in memory: each process finds out by itself.
//
// # Threats
//
// Server-side request forgery: a URL, or a name that resolves to something else than
// yesterday, that leads into the operator's network. Every address is looked at when it is
// connected to, behind the resolver, whatever the name was when somebody looked before.
// Addresses that are not public are refused unless their network is listed. Redirects are
// not followed, proxies of the environment not used, answers neither kept nor logged.
//
// Forgery and replay at the receiver: HMAC over id, time and body; every endpoint has a
// secret of its own, so that one receiver cannot pretend to another. Secrets and the URL's
// path and query, which may hold one, are in no log and no error. Payloads have no token
// and no password, and are sealed while they wait.
package webhooks
