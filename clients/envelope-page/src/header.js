// The header of a protected file (docs/FORMATS.md, chapter 9).
import { bigEndian, concat, fieldsOf, isSame, lengthPrefixed, utf8 } from "../../browser/bytes.js";
import { PgveilError } from "../../browser/error.js";

const TITLE = utf8("pgveil envelope 1\n");
const TAIL_SIZE = 64 + 32;
/** So many bytes have to be read to know how long a header is. */
export const START_SIZE = TITLE.length + 4;
export const SIZE_MAX = 32768;
const FIXED_FIELDS = 5;
const NAMES_MAX = 64;
const SPOKEN = /^[ -~]{1,200}$/;
const ECDH = { name: "ECDH", namedCurve: "P-256" };
const ECDSA = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };
const HMAC = { name: "HMAC", hash: "SHA-256" };

function malformed(why) {
    return new PgveilError("malformed", "this is not a protected file of this version, or its header was altered: " + why);
}

export async function sha256(bytes) {
    return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Whether a file claims to be a protected one. @param {Uint8Array} start its first bytes */
export function hasTitle(start) {
    return isSame(start.subarray(0, TITLE.length), TITLE);
}

/** Who may have a file opened (ascending; empty: anybody whom the holders serve), until when (0: without end), what for (may be empty). */
function isPolicy({ who, until, purpose }) {
    return until >= 0 && who.length <= NAMES_MAX && who.every((name) => SPOKEN.test(name)) &&
        who.every((name, at) => at === 0 || who[at - 1] < name) && (purpose === "" || SPOKEN.test(purpose));
}

function startOf(group, point, prefix, { who, until, purpose }) {
    const end = concat(bigEndian(Math.floor(until / 2 ** 32), 4), bigEndian(until % 2 ** 32, 4));
    const fields = lengthPrefixed(group, point, prefix, end, utf8(purpose), ...who.map(utf8));
    return concat(TITLE, bigEndian(fields.length, 4), fields);
}

/** Both keys hang on every byte of the start: group, point and policy. `shared` is an HKDF key. */
async function keysOf(shared, start) {
    const digest = await sha256(start);
    const derived = (name, algorithm, usages) => crypto.subtle.deriveKey(
        { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: lengthPrefixed(utf8(name), digest) },
        shared, algorithm, false, usages);
    return {
        mac: await derived("pgveil/1 envelope mac", { ...HMAC, length: 256 }, ["sign", "verify"]),
        // The key of XAES-256-GCM, whose blocks xaes.js makes by CBC.
        body: await derived("pgveil/1 envelope body", { name: "AES-CBC", length: 256 }, ["encrypt"]),
    };
}

function hkdfKey(bytes) {
    return crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
}

// One scalar, once for the agreement and once for the signature; WebCrypto has a key for one of them only.
async function freshScalar() {
    const signer = await crypto.subtle.generateKey(ECDSA, true, ["sign"]);
    const bytes = new Uint8Array(await crypto.subtle.exportKey("pkcs8", signer.privateKey));
    const agreement = await crypto.subtle.importKey("pkcs8", bytes, ECDH, false, ["deriveBits"]);
    bytes.fill(0);
    const point = new Uint8Array(await crypto.subtle.exportKey("raw", signer.publicKey));
    return { signer: signer.privateKey, agreement, point };
}

async function agreed(agreement, publicKey) {
    const peer = await crypto.subtle.importKey("raw", publicKey, ECDH, false, []);
    const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: peer }, agreement, 256));
    try {
        return await hkdfKey(shared);
    } finally {
        shared.fill(0);
    }
}

/**
 * A header for a new file, sealed to a group by a fresh scalar that is forgotten. Needs the public key only.
 *
 * @param {Uint8Array} publicKey 65 bytes; throws if it is no point of the curve
 * @param {{who?: string[], until?: number, purpose?: string}} [policy] `until` in Unix seconds
 * @returns {Promise<{header: object, bodyKey: CryptoKey}>} what parseHeader() gives, and the key of the body
 */
export async function makeHeader(publicKey, { who = [], until = 0, purpose = "" } = {}) {
    const policy = { who: [...new Set(who)].sort(), until, purpose };
    if (!isPolicy(policy) || !Number.isSafeInteger(until)) {
        throw new PgveilError("name", "names and purpose are 1 to 200 characters of printable ASCII, there are at most 64 names, and " +
            "the end is no time before 1970");
    }
    const { signer, agreement, point } = await freshScalar();
    const prefix = crypto.getRandomValues(new Uint8Array(12));
    const start = startOf(await sha256(publicKey), point, prefix, policy);
    const { mac, body } = await keysOf(await agreed(agreement, publicKey), start);
    const signed = concat(start, new Uint8Array(await crypto.subtle.sign(SIGNATURE, signer, start)));
    const bytes = concat(signed, new Uint8Array(await crypto.subtle.sign("HMAC", mac, signed)));
    return { header: await parseHeader(bytes), bodyKey: body };
}

/** Bytes of the whole header. @param {Uint8Array} start the first START_SIZE bytes of the file, or all if it is shorter */
export function headerSize(start) {
    if (start.length < START_SIZE || !hasTitle(start)) {
        throw malformed("it does not start with the title of one");
    }
    const fields = new DataView(start.buffer, start.byteOffset).getUint32(TITLE.length);
    if (fields > SIZE_MAX - START_SIZE - TAIL_SIZE) {
        throw malformed("its size is out of bounds");
    }
    return START_SIZE + fields + TAIL_SIZE;
}

function parseFields(bytes) {
    let fields;
    try {
        fields = fieldsOf(bytes);
    } catch {
        throw malformed("its fields cannot be told apart");
    }
    if (fields.length < FIXED_FIELDS || fields.length > FIXED_FIELDS + NAMES_MAX) {
        throw malformed("its fields cannot be told apart");
    }
    const [group, point, prefix, end, purpose, ...who] = fields;
    if (group.length !== 32 || point.length !== 65 || point[0] !== 4 || prefix.length !== 12 || end.length !== 8 || end[0] > 127) {
        throw malformed("a field has another size, or its point is none");
    }
    const text = (part) => String.fromCharCode(...part.subarray(0, 201));
    const policy = {
        who: who.map(text),
        until: Number(new DataView(end.buffer, end.byteOffset).getBigUint64(0)),
        purpose: text(purpose),
    };
    if (!isPolicy(policy)) {
        throw malformed("its policy breaks the rules");
    }
    return { group, point, prefix, policy };
}

/**
 * Strict: every header has one form. The policy is that of who made the file: it is signed by the logarithm of the point. That the file
 * belongs to a group is known only when bodyKey() has succeeded.
 *
 * @param {Uint8Array} bytes the whole header
 * @returns {Promise<{group: Uint8Array, point: Uint8Array, prefix: Uint8Array, policy: object, bytes: Uint8Array, mac: Uint8Array}>}
 */
export async function parseHeader(bytes) {
    if (headerSize(bytes) !== bytes.length) {
        throw malformed("it is cut off");
    }
    const start = bytes.subarray(0, bytes.length - TAIL_SIZE);
    const parsed = parseFields(start.subarray(START_SIZE));
    const signer = await crypto.subtle.importKey("raw", parsed.point, ECDSA, false, ["verify"]).catch(() => null);
    if (signer === null) {
        throw malformed("a field has another size, or its point is none");
    }
    const signature = bytes.subarray(start.length, start.length + 64);
    if (!await crypto.subtle.verify(SIGNATURE, signer, signature, start)) {
        throw malformed("its policy is not the one it was made with");
    }
    return { ...parsed, bytes, mac: bytes.subarray(bytes.length - 32) };
}

/**
 * The key of the body. The MAC commits to it: nobody can make a file that two keys open.
 *
 * @param {object} header of parseHeader()
 * @param {Uint8Array} sharedX X coordinate of the group's private key times the header's point
 * @returns {Promise<CryptoKey>}
 */
export async function bodyKey({ bytes }, sharedX) {
    const { mac, body } = await keysOf(await hkdfKey(sharedX), bytes.subarray(0, bytes.length - TAIL_SIZE));
    const before = bytes.subarray(0, bytes.length - 32);
    if (!await crypto.subtle.verify("HMAC", mac, bytes.subarray(before.length), before)) {
        throw new PgveilError("foreign", "the key that the holders gave does not fit this file: it was sealed to another group, or its " +
            "header was altered");
    }
    return body;
}
