// fetch() with the user's headers, and a token that is renewed before it expires.
import { PgveilError } from "./error.js";

export const USER_HEADER = "Pgveil-User";
export const SHARE_HEADER = "Pgveil-User-Share";

/**
 * A fetch() that adds the user's id and token to requests to the page's own origin. Any other origin is a network error
 * (mode "same-origin"), also behind a redirect: a token is for this application. After an answer 401 the token and the
 * statement are made and fetched anew with the next request.
 *
 * @param {import("./pgveil.js").UserKey} key
 * @param {{statement: () => Promise<string>, validSeconds?: number, fetch?: typeof fetch}} how statement: fetches the
 *     proxy's statement about its token key; fetch: what sends the requests
 * @returns {typeof fetch}
 */
export function withShares(key, { statement, validSeconds = 60, fetch = globalThis.fetch.bind(globalThis) }) {
    if (!/^[!-~]+$/.test(key.userId)) {
        throw new PgveilError("name", "a header cannot carry this user id: let the tenant give one of A-Z a-z 0-9 . _ @ -");
    }
    let [known, keyExpires] = [null, 0]; // a promise of the statement, and its end in Unix seconds
    let [token, renewAt] = [null, 0];

    async function fresh() {
        known = Date.now() / 1000 < keyExpires ? known : null;
        known ??= statement();
        const made = await key.makeToken(await known, validSeconds);
        keyExpires = made.keyExpires;
        renewAt = made.expires - validSeconds / 2;
        return made.text;
    }

    // Everybody who asks while a token is being made waits for the same one. A failure is not kept.
    function currentToken() {
        if (!token || Date.now() / 1000 >= renewAt) {
            renewAt = Infinity;
            token = fresh().catch((error) => {
                [known, token] = [null, null];
                throw error;
            });
        }
        return token;
    }

    return async (input, init = {}) => {
        const request = new Request(input, { ...init, mode: "same-origin" });
        request.headers.set(USER_HEADER, key.userId);
        request.headers.set(SHARE_HEADER, await currentToken());
        const response = await fetch(request);
        if (response.status === 401) {
            [known, token] = [null, null];
        }
        return response;
    };
}
