// The user's side of pgveil in a page: opens a .user file and makes tokens. WebCrypto only; nothing is sent or stored.
import { bigEndian, concat, fieldsOf, fingerprintText, fromBase64url, isSame, lengthPrefixed, toBase64url, utf8 } from "./bytes.js";
import { PgveilError } from "./error.js";
import { seal } from "./hpke.js";
import { verifyStatement } from "./statement.js";
import { keyForNonce } from "./xaes.js";

export { PgveilError };
export { withShares, USER_HEADER, SHARE_HEADER } from "./fetch.js";

const FILE = new RegExp("^(pgveil user key 1\\ntenant: (.*)\\nuser: (.*)\\nproxy: (.*)\\n" +
    "protection: (none|pbkdf2-sha256 ([1-9][0-9]{0,7}) ([A-Za-z0-9_-]{22}))\\n)key: ([A-Za-z0-9_-]+)\\n$");
const FILE_SIZE_MAX = 65536;
const ITERATIONS_MAX = 10_000_000;

async function sha256(bytes) {
    return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

async function fileKey(passphrase, salt, iterations, nonce) {
    const line = await crypto.subtle.importKey("raw", utf8(passphrase), "PBKDF2", false, ["deriveKey"]);
    const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
    return keyForNonce(
        await crypto.subtle.deriveKey(how, line, { name: "AES-CBC", length: 256 }, false, ["encrypt"]), nonce);
}

// The content of a file, open for as long as `use` runs.
async function opened({ key, iv, head, sealed }, use) {
    const how = { name: "AES-GCM", iv, additionalData: head };
    const plain = new Uint8Array(await crypto.subtle.decrypt(how, key, sealed));
    try {
        return await use(fieldsOf(plain));
    } finally {
        plain.fill(0);
    }
}

function isText(bytes, text) {
    return isSame(bytes, utf8(text));
}

/**
 * A user's key, open. It keeps the file as it was, sealed, and a key handle that WebCrypto does not give out; TKu is in
 * memory only while a token is made. openUserFile() makes it.
 */
export class UserKey {
    #file;

    /** @param {object} file @param {{tenant: string, userId: string, proxy: string}} owner */
    constructor(file, { tenant, userId, proxy }) {
        this.#file = file;
        this.tenant = tenant;
        this.userId = userId;
        this.proxy = proxy; // fingerprint of the proxy that the tenant pinned, for people
        Object.freeze(this);
    }

    /**
     * A fresh token for the token key of a statement, which is verified first.
     *
     * @param {string} statement what `SELECT pgveil.token_key()` returns; the application passes it on
     * @param {number} [validSeconds] at most the proxy's tokens.max_validity_s
     * @returns {Promise<{text: string, expires: number, keyExpires: number}>} times in Unix seconds
     */
    async makeToken(statement, validSeconds = 60) {
        if (!Number.isSafeInteger(validSeconds) || validSeconds < 1) {
            throw new RangeError("a token is valid for a whole number of seconds, at least one");
        }
        const now = Math.floor(Date.now() / 1000);
        return opened(this.#file, async ([, tenant, user, epoch, identity, ...parts]) => {
            const { keyId, point, notAfter } = await verifyStatement(statement.trim(), identity, this.tenant, now);
            const id = bigEndian(keyId, 4);
            const contents = lengthPrefixed(
                utf8("pgveil/1 token contents"), tenant, user, bigEndian(now, 8), bigEndian(now + validSeconds, 8),
                crypto.getRandomValues(new Uint8Array(16)), await sha256(identity), epoch, utf8(""), ...parts);
            try {
                const sealed = await seal(point, lengthPrefixed(utf8("pgveil/1 token"), tenant, id), contents);
                const text = "pgvt1." + toBase64url(concat(id, sealed));
                return { text, expires: now + validSeconds, keyExpires: notAfter };
            } finally {
                contents.fill(0);
            }
        });
    }
}

/**
 * Opens a .user file that is under a passphrase, as `pgveil-tenant user add` wrote it. Takes a second on purpose.
 *
 * @param {string} text the content of the file
 * @param {string} passphrase without line end; forget it afterwards, nothing needs it again
 * @returns {Promise<UserKey>}
 * @throws {PgveilError} "locked": the passphrase is wrong or the file was altered, which cannot be told apart
 */
export async function openUserFile(text, passphrase) {
    const [, head, tenant, userId, proxy, protection, iterations, salt, key] =
        (text.length <= FILE_SIZE_MAX && FILE.exec(text)) || [];
    if (protection === "none") {
        throw new PgveilError("unprotected", "this user file has no passphrase; a browser takes none without: let the " +
            "tenant make it again (pgveil-tenant user copy)");
    }
    const [saltBytes, bytes] = [salt, key].map((part) => part && fromBase64url(part));
    if (!saltBytes || !bytes || bytes.length < 40 || Number(iterations) > ITERATIONS_MAX) {
        throw new PgveilError("malformed", "this is not a user file of this version: use the .user file that " +
            "pgveil-tenant wrote");
    }
    const nonce = bytes.subarray(0, 24);
    const opening = await fileKey(passphrase, saltBytes, Number(iterations), nonce);
    const file = { key: opening, iv: nonce.slice(12), head: utf8(head), sealed: bytes.slice(24) };
    const isWhole = await opened(file, async ([format, ofTenant, ofUser, , identity]) =>
        isText(format, "pgveil/1 user key") && isText(ofTenant, tenant) && isText(ofUser, userId) &&
        fingerprintText(await sha256(identity)) === proxy).catch(() => false);
    if (!isWhole) {
        throw new PgveilError("locked", "the user file does not open: the passphrase is wrong, or the file was altered");
    }
    return new UserKey(file, { tenant, userId, proxy });
}
