// What tenant and proxy write for a user, written by Node's own OpenSSL and not by the module: a .user file, statements
// about a token key, and the opening of both.
import crypto from "node:crypto";

globalThis.crypto ??= crypto.webcrypto; // Node 18 has it, but not by its name

const field = (bytes) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(bytes.length);
    return Buffer.concat([size, Buffer.from(bytes)]);
};
const number = (value) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
};
const sha256 = (bytes) => crypto.createHash("sha256").update(bytes).digest();

/** A P-256 key pair with its point of 65 bytes. */
export function keyPair() {
    const { privateKey, publicKey } = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x, y } = publicKey.export({ format: "jwk" });
    return { privateKey, point: Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]) };
}

export function signed(identity, payload, typ = "pgveil-token-key") {
    const text = typeof payload === "string" ? payload : JSON.stringify(payload);
    const header = `{"alg":"ES256","typ":"${typ}","kid":"${sha256(identity.point).toString("base64url")}"}`;
    const input = [header, text].map((part) => Buffer.from(part).toString("base64url")).join(".");
    const signature = crypto.sign("sha256", Buffer.from(input), { key: identity.privateKey, dsaEncoding: "ieee-p1363" });
    return `${input}.${signature.toString("base64url")}`;
}

export const statementOf = (tokenKey, more = {}) => ({
    tenant: "clinic", key_id: 0xfedcba98, key: tokenKey.point.toString("base64url"),
    not_before: 1_000_000, not_after: 1_086_400, ...more });

function xaesKey(key, nonce) {
    const block = (bytes) => {
        const cipher = crypto.createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
        return Buffer.concat([cipher.update(bytes), cipher.final()]);
    };
    const left = BigInt(`0x${block(Buffer.alloc(16)).toString("hex")}`) << 1n;
    const mask = (left >> 128n ? (left ^ 0x87n) : left) & ((1n << 128n) - 1n);
    const half = (counter) => {
        const message = BigInt(`0x${Buffer.concat([Buffer.of(0, counter, 0x58, 0), nonce.subarray(0, 12)]).toString("hex")}`);
        return block(Buffer.from((message ^ mask).toString(16).padStart(32, "0"), "hex"));
    };
    return Buffer.concat([half(1), half(2)]);
}

/** The text of a .user file. */
export function userFile(identity, passphrase, { userId = "nurse", iterations = 1000, part = Buffer.alloc(32, 7) } = {}) {
    const fingerprint = sha256(identity.point).toString("hex").match(/.{8}/g).join(" ");
    const salt = crypto.randomBytes(16);
    const head = `pgveil user key 1\ntenant: clinic\nuser: ${userId}\nproxy: ${fingerprint}\n` +
        `protection: pbkdf2-sha256 ${iterations} ${salt.toString("base64url")}\n`;
    const plain = Buffer.concat(["pgveil/1 user key", "clinic", userId].map((text) => field(Buffer.from(text))).concat(
        [number(3), identity.point, number(1), Buffer.from("default"), part].map(field)));
    const nonce = crypto.randomBytes(24);
    const key = xaesKey(crypto.pbkdf2Sync(passphrase, salt, iterations, 32, "sha256"), nonce);
    const cipher = crypto.createCipheriv("aes-256-gcm", key, nonce.subarray(12)).setAAD(Buffer.from(head));
    const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return `${head}key: ${sealed.toString("base64url")}\n`;
}

/** Every part (TKu) in a .user file. */
export function partsOf(file, passphrase) {
    const [, head, iterations, salt, text] = /^([^]*protection: pbkdf2-sha256 (\d+) (\S+)\n)key: (\S+)\n$/.exec(file);
    const sealed = Buffer.from(text, "base64url");
    const password = crypto.pbkdf2Sync(passphrase, Buffer.from(salt, "base64url"), Number(iterations), 32, "sha256");
    const key = xaesKey(password, sealed.subarray(0, 24));
    const cipher = crypto.createDecipheriv("aes-256-gcm", key, sealed.subarray(12, 24)).setAAD(Buffer.from(head));
    cipher.setAuthTag(sealed.subarray(-16));
    const plain = Buffer.concat([cipher.update(sealed.subarray(24, -16)), cipher.final()]);
    const fields = [];
    for (let at = 0; at < plain.length; at += 4 + plain.readUInt32BE(at)) {
        fields.push(plain.subarray(at + 4, at + 4 + plain.readUInt32BE(at)));
    }
    return fields.slice(6).filter((_, at) => at % 2 === 1);
}
