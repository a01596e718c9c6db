// Bytes and text forms (docs/FORMATS.md, chapter 1).

const encoder = new TextEncoder();

/** @param {string} text */
export function utf8(text) {
    return encoder.encode(text);
}

/** @param {...Uint8Array} parts */
export function concat(...parts) {
    const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
        whole.set(part, at);
        at += part.length;
    }
    return whole;
}

/** `value` as `size` bytes, big endian. @param {number} value @param {number} size */
export function bigEndian(value, size) {
    const bytes = new Uint8Array(size);
    for (let at = size - 1; at >= 0; --at) {
        bytes[at] = value % 256;
        value = Math.floor(value / 256);
    }
    return bytes;
}

/** LP(x1, ..., xn): each part after its size as 4 bytes. @param {...Uint8Array} parts */
export function lengthPrefixed(...parts) {
    return concat(...parts.flatMap((part) => [bigEndian(part.length, 4), part]));
}

/** base64url without padding. @param {Uint8Array} bytes */
export function toBase64url(bytes) {
    let text = "";
    for (const byte of bytes) {
        text += String.fromCharCode(byte);
    }
    return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The bytes of a canonical base64url text; null for any other. @param {string} text */
export function fromBase64url(text) {
    if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) {
        return null;
    }
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (ch) => ch.charCodeAt(0));
    return toBase64url(bytes) === text ? bytes : null;
}

/**
 * The fields of bytes, each after its size as 4 bytes. The views share the memory of `bytes`.
 *
 * @param {Uint8Array} bytes
 * @throws {RangeError} a field is cut off
 */
export function fieldsOf(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const fields = [];
    for (let at = 0; at < bytes.length;) {
        const end = at + 4 + view.getUint32(at);
        if (end > bytes.length) {
            throw new RangeError("a field is cut off");
        }
        fields.push(bytes.subarray(at + 4, end));
        at = end;
    }
    return fields;
}

/** @param {Uint8Array} left @param {Uint8Array} right; their time shows where they differ: for public bytes */
export function isSame(left, right) {
    return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

/** A digest for people: eight groups of eight digits. @param {Uint8Array} digest 32 bytes */
export function fingerprintText(digest) {
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("").match(/.{8}/g).join(" ");
}
