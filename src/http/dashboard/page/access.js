// The token that allows changes: it comes in the fragment of the URL, or a code for it does, and leaves the address bar at once.

const KEY = "microflo-bridge-token";

let token = null;

/** Takes the token that the address holds or has a code for, or the one that this tab has had. False if the code is not good. */
export async function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1));
  const code = given.get("code");
  let isGood = true;
  if (code || given.has("token")) {
    history.replaceState(null, "", location.pathname + location.search);
    const fresh = code ? await changeForToken(code) : given.get("token");
    if (fresh) sessionStorage.setItem(KEY, fresh);
    else isGood = false;
  }
  token = sessionStorage.getItem(KEY);
  return isGood;
}

/** A code is good once, so that nobody else can use the link that a browser was started with. */
async function changeForToken(code) {
  const headers = { "Content-Type": "application/json" };
  const answer = await ask("api/dashboard/token", { method: "POST", headers, body: JSON.stringify({ code }) }).catch(() => null);
  return answer?.ok ? (await answer.json()).token : null;
}

/** The bridge does not know the token: another run has given it. */
export function dropToken() {
  sessionStorage.removeItem(KEY);
  token = null;
}

/** Whether there is a token. */
export function hasToken() {
  return token !== null;
}

/** Asks the bridge. */
export function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  return fetch(new URL(path, document.baseURI), { ...options, headers, cache: "no-store", redirect: "error" });
}

/** Asks for a change; throws the bridge's own words if it says no. */
export async function change(path, body) {
  const headers = { "Content-Type": "application/json" };
  let answer;
  try {
    answer = await ask(path, { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    throw new Error("The bridge does not answer. Is it still running?");
  }
  if (answer.ok) return;
  const words = await answer.json().catch(() => ({}));
  throw new Error(words.message ?? `The bridge said ${answer.status}.`);
}
