// The body of a protected file: chunks of XAES-256-GCM in the STREAM construction (docs/FORMATS.md, chapter 9). A few MiB are in
// memory at a time, whatever the size of the file.
import { bigEndian, concat } from "../../browser/bytes.js";
import { PgveilError } from "../../browser/error.js";
import { keyForNonce } from "../../browser/xaes.js";
import { headerSize, makeHeader, parseHeader, SIZE_MAX } from "./header.js";

export const CHUNK_SIZE = 65536;
const TAG_SIZE = 16;
const SEALED_SIZE = CHUNK_SIZE + TAG_SIZE;
const CHUNKS_MAX = 2 ** 32;
/** Chunks that are read, worked on and given out together. */
const BATCH = 32;

function how(header, number, isLast) {
    // The nonce of AES-256-GCM: the number as 11 bytes, then whether it is the last.
    return { name: "AES-GCM", iv: concat(bigEndian(number, 11), Uint8Array.of(isLast ? 1 : 0)), additionalData: header.mac };
}

async function read(blob, from, to) {
    try {
        return new Uint8Array(await blob.slice(from, to).arrayBuffer());
    } catch (error) {
        throw new PgveilError("unreadable", `the file cannot be read from byte ${from}: it was changed, moved or removed meanwhile ` +
            `(${error.name})`);
    }
}

/** The pieces of a blob from `start` on, one batch ahead: {first: number of the first piece, pieces, isEnd}. */
async function* batches(blob, start, size) {
    const step = size * BATCH;
    let ahead = read(blob, start, start + step);
    for (let first = 0, at = start; ; first += BATCH, at += step) {
        const bytes = await ahead;
        const isEnd = at + step >= blob.size;
        if (!isEnd) {
            ahead = read(blob, at + step, at + 2 * step);
            ahead.catch(() => {}); // awaited in the next round, unless nobody asks for one
        }
        const pieces = [];
        for (let from = 0; from < bytes.length || pieces.length === 0; from += size) {
            pieces.push(bytes.subarray(from, from + size));
        }
        yield { first, pieces, isEnd };
        if (isEnd) {
            return;
        }
    }
}

/**
 * The protected file of a blob, part by part.
 *
 * @param {Blob} content
 * @param {Uint8Array} publicKey of the group
 * @param {{who?: string[], until?: number, purpose?: string}} [policy]
 * @returns {AsyncGenerator<Uint8Array>}
 */
export async function* sealed(content, publicKey, policy) {
    if (content.size > CHUNK_SIZE * CHUNKS_MAX) {
        throw new PgveilError("malformed", "the content is larger than 256 TiB: split it");
    }
    const { header, bodyKey } = await makeHeader(publicKey, policy);
    yield header.bytes;
    yield* sealedBody(content, header, bodyKey);
}

/** Everything behind the header. @param {Blob} content @param {object} header @param {CryptoKey} bodyKey */
export async function* sealedBody(content, header, bodyKey) {
    const key = await keyForNonce(bodyKey, header.prefix, "encrypt");
    for await (const { first, pieces, isEnd } of batches(content, 0, CHUNK_SIZE)) {
        const parts = await Promise.all(pieces.map((piece, at) =>
            crypto.subtle.encrypt(how(header, first + at, isEnd && at === pieces.length - 1), key, piece)));
        yield concat(...parts.map((part) => new Uint8Array(part)));
    }
}

/** The header of a protected file. @param {Blob} file */
export async function readHeader(file) {
    const start = await read(file, 0, SIZE_MAX);
    return parseHeader(start.slice(0, headerSize(start)));
}

/** What is wrong with a chunk that does not open where it stands. */
async function diagnosed({ header, key }, piece, number, isLast) {
    const name = `chunk ${number + 1}`;
    const otherwise = piece.length >= TAG_SIZE &&
        await crypto.subtle.decrypt(how(header, number, !isLast), key, piece).then(() => true, () => false);
    if (otherwise) {
        return isLast ? `the file was cut off behind ${name}: what follows is missing`
            : `the file goes on behind ${name}, which is its last: something was added to it`;
    }
    const where = `${name} (content from byte ${number * CHUNK_SIZE}) does not verify: `;
    return where + (piece.length < SEALED_SIZE ? "the file was cut off there, or altered" : "it was altered, moved, or belongs to " +
        "another file");
}

/**
 * The content of a protected file, part by part. What comes out was verified, but only the end without an error says that it is all; an
 * error names the chunk, counted from 1.
 *
 * @param {Blob} file
 * @param {object} header of readHeader()
 * @param {CryptoKey} bodyKey
 * @returns {AsyncGenerator<Uint8Array>}
 */
export async function* opened(file, header, bodyKey) {
    const chunks = { header, key: await keyForNonce(bodyKey, header.prefix) };
    if (file.size - header.bytes.length > SEALED_SIZE * CHUNKS_MAX) {
        throw new PgveilError("altered", "a protected file has at most 2^32 chunks: something was added to it");
    }
    for await (const { first, pieces, isEnd } of batches(file, header.bytes.length, SEALED_SIZE)) {
        const parts = await Promise.allSettled(pieces.map((piece, at) => openChunk(
            chunks, piece, first + at, isEnd && at === pieces.length - 1)));
        const failed = parts.find(({ status }) => status === "rejected");
        if (failed) {
            throw failed.reason;
        }
        yield concat(...parts.map(({ value }) => value));
    }
}

async function openChunk(chunks, piece, number, isLast) {
    // Only an empty content has an empty chunk: otherwise one content would have two forms.
    const least = TAG_SIZE + (number === 0 ? 0 : 1);
    try {
        if (piece.length < least) {
            throw new RangeError("too short");
        }
        return new Uint8Array(await crypto.subtle.decrypt(how(chunks.header, number, isLast), chunks.key, piece));
    } catch {
        throw new PgveilError("altered", await diagnosed(chunks, piece, number, isLast));
    }
}
