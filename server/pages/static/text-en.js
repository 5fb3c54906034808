// English: only what has several forms. All other texts stand in the code.
export default {
  "At least {n} characters.": { one: "At least {n} character.", other: "At least {n} characters." },
  "Use at least {n} characters.": { one: "Use at least {n} character.", other: "Use at least {n} characters." },
  "Use at most {n} characters.": { one: "Use at most {n} character.", other: "Use at most {n} characters." },
  "Try again in {n} seconds.": { one: "Try again in {n} second.", other: "Try again in {n} seconds." },
  "Try again in {n} minutes.": { one: "Try again in {n} minute.", other: "Try again in {n} minutes." },
  "Try again in {n} hours.": { one: "Try again in {n} hour.", other: "Try again in {n} hours." },
  "A code has {n} digits.": { one: "A code has {n} digit.", other: "A code has {n} digits." },
  "Do not ask on this device for {n} days": { one: "Do not ask on this device for {n} day", other: "Do not ask on this device for {n} days" },
  "A link is on its way to {email}. It works once, for {n} minutes.": { one: "A link is on its way to {email}. It works once, for {n} minute.", other: "A link is on its way to {email}. It works once, for {n} minutes." },
  "{n} messages": { one: "{n} message", other: "{n} messages" },
  "{n} more conversations": { one: "{n} more conversation", other: "{n} more conversations" },
};
