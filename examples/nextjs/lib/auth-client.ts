import { createAuthClient } from "better-auth/react";

// Without a baseURL it talks to the origin of the page.
export const authClient = createAuthClient();
