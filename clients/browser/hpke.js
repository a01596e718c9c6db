// HPKE (RFC 9180), base mode, one message: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
import { bigEndian, concat, utf8 } from "./bytes.js";

const CURVE = { name: "ECDH", namedCurve: "P-256" };
const HMAC = { name: "HMAC", hash: "SHA-256" };
const KEM_SUITE = concat(utf8("KEM"), bigEndian(0x0010, 2));
const HPKE_SUITE = concat(utf8("HPKE"), bigEndian(0x0010, 2), bigEndian(0x0001, 2), bigEndian(0x0002, 2));
const NOTHING = new Uint8Array();

async function hmac(key, message) {
    const imported = await crypto.subtle.importKey("raw", key, HMAC, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign(HMAC, imported, message));
}

// RFC 9180 section 4. HMAC pads its key with zeros, so 32 of them are the empty salt, which WebCrypto refuses as a key.
function labeledExtract(suite, salt, label, secret) {
    return hmac(salt.length === 0 ? new Uint8Array(32) : salt, concat(utf8("HPKE-v1"), suite, utf8(label), secret));
}

// One block of HKDF-Expand is enough for all that is asked here: at most 32 bytes.
async function labeledExpand(suite, key, label, info, size) {
    const labeled = concat(bigEndian(size, 2), utf8("HPKE-v1"), suite, utf8(label), info);
    return (await hmac(key, concat(labeled, Uint8Array.of(1)))).slice(0, size);
}

// RFC 9180 section 4.1: `peer` is the receiver's point for who seals, enc for who opens.
async function sharedSecret(peer, privateKey, enc, receiver) {
    const point = { name: "ECDH", public: await crypto.subtle.importKey("raw", peer, CURVE, false, []) };
    const dh = new Uint8Array(await crypto.subtle.deriveBits(point, privateKey, 256));
    const prk = await labeledExtract(KEM_SUITE, NOTHING, "eae_prk", dh);
    return labeledExpand(KEM_SUITE, prk, "shared_secret", concat(enc, receiver), 32);
}

// Section 5.1, for one message: the key of the AEAD and its nonce.
async function keyOf(shared, info, usage) {
    const context = concat(
        Uint8Array.of(0), await labeledExtract(HPKE_SUITE, NOTHING, "psk_id_hash", NOTHING),
        await labeledExtract(HPKE_SUITE, NOTHING, "info_hash", info));
    const secret = await labeledExtract(HPKE_SUITE, shared, "secret", NOTHING);
    const key = await labeledExpand(HPKE_SUITE, secret, "key", context, 32);
    const iv = await labeledExpand(HPKE_SUITE, secret, "base_nonce", context, 12);
    return { key: await crypto.subtle.importKey("raw", key, "AES-GCM", false, [usage]), iv };
}

/**
 * `enc(65) || ciphertext || tag(16)`, sequence number 0.
 *
 * @param {Uint8Array} receiver public key, 65 bytes; throws if it is no point of the curve
 * @param {Uint8Array} info what the message is for
 * @param {Uint8Array} plaintext
 * @param {{aad?: Uint8Array, ephemeral?: CryptoKeyPair}} [more] the key pair of this one message is made here;
 *     giving one is for published vectors only, because using it twice gives the plaintexts away
 */
export async function seal(receiver, info, plaintext, { aad = NOTHING, ephemeral } = {}) {
    ephemeral ??= await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
    const enc = new Uint8Array(await crypto.subtle.exportKey("raw", ephemeral.publicKey));
    const shared = await sharedSecret(receiver, ephemeral.privateKey, enc, receiver);
    const { key, iv } = await keyOf(shared, info, "encrypt");
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: aad }, key, plaintext);
    return concat(enc, new Uint8Array(sealed));
}

/**
 * What seal() sealed to the public key of this pair, for the same `info`.
 *
 * @param {CryptoKeyPair} receiver for "deriveBits"; its public key can be exported
 * @param {Uint8Array} info
 * @param {Uint8Array} sealed
 * @param {{aad?: Uint8Array}} [more]
 * @throws anything when it does not open
 */
export async function open(receiver, info, sealed, { aad = NOTHING } = {}) {
    const [enc, message] = [sealed.slice(0, 65), sealed.slice(65)];
    if (enc[0] !== 4 || message.length < 16) {
        throw new RangeError("a sealed message has at least 81 bytes and begins with a point");
    }
    const own = new Uint8Array(await crypto.subtle.exportKey("raw", receiver.publicKey));
    const shared = await sharedSecret(enc, receiver.privateKey, enc, own);
    const { key, iv } = await keyOf(shared, info, "decrypt");
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: aad }, key, message));
}
