// The proxy's statement about its token key (docs/FORMATS.md, chapter 2): JWS ES256, typ pgveil-token-key.
import { fromBase64url, toBase64url, utf8 } from "./bytes.js";
import { PgveilError } from "./error.js";

const ECDSA = { name: "ECDSA", namedCurve: "P-256" };
const SKEW_SECONDS = 30;

function isTime(value) {
    return Number.isSafeInteger(value) && value >= 0;
}

// One text for one statement: what is read is written again and has to be the same.
function parsed(payload) {
    try {
        const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
        const { tenant, key_id, key, not_before, not_after } = JSON.parse(text);
        const point = fromBase64url(key);
        const fits = typeof tenant === "string" && Number.isInteger(key_id) && key_id >= 0 && key_id < 2 ** 32 &&
            point?.length === 65 && point[0] === 4 && isTime(not_before) && isTime(not_after) &&
            JSON.stringify({ tenant, key_id, key, not_before, not_after }) === text;
        return fits ? { tenant, keyId: key_id, point, notBefore: not_before, notAfter: not_after } : null;
    } catch {
        return null;
    }
}

async function signedPayload(jws, identity) {
    const [header, payload, signature, ...rest] = jws.split(".");
    const kid = toBase64url(new Uint8Array(await crypto.subtle.digest("SHA-256", identity)));
    const bytes = [payload, signature].map((part) => part && fromBase64url(part));
    const isOurs = header === toBase64url(utf8(`{"alg":"ES256","typ":"pgveil-token-key","kid":"${kid}"}`));
    if (!isOurs || rest.length > 0 || !bytes[0] || bytes[1]?.length !== 64) {
        return null;
    }
    const key = await crypto.subtle.importKey("raw", identity, ECDSA, false, ["verify"]);
    const input = utf8(`${header}.${payload}`);
    const isGenuine = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, bytes[1], input);
    return isGenuine ? bytes[0] : null;
}

/**
 * Believes a statement only if the pinned proxy signed it, for this tenant, and it is in force at `now`.
 *
 * @param {string} jws
 * @param {Uint8Array} identity point of the pinned proxy
 * @param {string} tenant
 * @param {number} now Unix seconds
 */
export async function verifyStatement(jws, identity, tenant, now) {
    const payload = await signedPayload(jws, identity);
    if (!payload) {
        throw new PgveilError("forged", "the token key statement is not signed by the proxy pinned in the user file: " +
            "it was altered, or this is another proxy. No token was made.");
    }
    const statement = parsed(payload);
    if (!statement) {
        throw new PgveilError("malformed", "the token key statement has a form this program does not know");
    }
    if (statement.tenant !== tenant) {
        throw new PgveilError("foreign", `the token key statement is for tenant ${statement.tenant}`);
    }
    if (now < statement.notBefore - SKEW_SECONDS || now > statement.notAfter + SKEW_SECONDS) {
        throw new PgveilError("expired", "the token key statement is not in force now: fetch it again, and compare " +
            "this machine's clock with the proxy's");
    }
    return statement;
}
