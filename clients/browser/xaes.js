// The keys of XAES-256-GCM (c2sp.org/XAES-256-GCM).

const ZEROS = new Uint8Array(16);

// WebCrypto has no AES of one block: CBC with an IV of zeros begins with it.
async function encryptBlock(key, block) {
    return new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv: ZEROS }, key, block)).slice(0, 16);
}

// Step 2 of the specification: doubling in GF(2^128), without a branch on the secret bit.
function doubled(block) {
    const out = block.map((byte, at) => (byte << 1) | (at < 15 ? block[at + 1] >> 7 : 0));
    out[15] ^= (block[0] >> 7) * 0x87;
    return out;
}

/**
 * The AES-256-GCM key for one nonce; it cannot be taken out of the browser.
 *
 * @param {CryptoKey} key AES-CBC, 256 bits, for "encrypt"
 * @param {Uint8Array} nonce 24 bytes, of which the first 12 count here and the last 12 are the nonce of AES-256-GCM
 * @param {"decrypt" | "encrypt"} [usage]
 * @returns {Promise<CryptoKey>} for this usage alone
 */
export async function keyForNonce(key, nonce, usage = "decrypt") {
    const mask = doubled(await encryptBlock(key, ZEROS));
    const derived = new Uint8Array(32);
    for (const counter of [1, 2]) {
        const block = Uint8Array.of(0, counter, 0x58, 0, ...nonce.subarray(0, 12)).map((byte, at) => byte ^ mask[at]);
        derived.set(await encryptBlock(key, block), 16 * (counter - 1));
    }
    const imported = await crypto.subtle.importKey("raw", derived, "AES-GCM", false, [usage]);
    derived.fill(0);
    return imported;
}
