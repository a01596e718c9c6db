// What everybody may know of a threshold group (docs/FORMATS.md, chapter 8; RFC 9497 for the proofs).
import { expand_message_xmd as expandMessage } from "@noble/curves/abstract/hash-to-curve.js";
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bigEndian, concat, fieldsOf, isSame, lengthPrefixed, utf8 } from "../../browser/bytes.js";
import { PgveilError } from "../../browser/error.js";

const { Point } = p256;
const Scalars = Point.Fn;
const MEMBERS_MAX = 64;
const POINT_SIZE = 65;
const REDUCED_SIZE = 48; // bytes that a hash to a number modulo the order has before it is reduced

export { sha256 };

function number(bytes) {
    return BigInt("0x" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""));
}

/** A number below the order; null for other bytes. */
function scalar(bytes) {
    const value = number(bytes);
    return bytes.length === 32 && value < Scalars.ORDER ? value : null;
}

/** A point of the given size (33 or 65 bytes), never infinity. @throws for anything else */
export function pointOf(bytes, size) {
    if (bytes.length !== size) {
        throw new RangeError("a point has another size");
    }
    return Point.fromBytes(bytes);
}

// Public numbers: their time shows. 0 has no multiple in the library.
function times(point, factor) {
    return point.multiplyUnsafe(Scalars.create(factor));
}

function encoded(point) {
    return point.is0() ? new Uint8Array(33) : point.toBytes(true);
}

/** A (t, n) key. parseGroup() makes it; `key` and `members` are points of 65 bytes. */
export class Group {
    #commitment;

    constructor(bytes, { id, epoch, threshold, members, commitment }) {
        Object.assign(this, { bytes, id, epoch, threshold, members, key: commitment[0].toBytes(false), digest: sha256(bytes) });
        this.#commitment = commitment;
        Object.freeze(this);
    }

    /** SHA-256 of the public key, which protected files name. */
    get fingerprint() {
        return sha256(this.key);
    }

    /** Share of member `index` times G. */
    verificationShare(index) {
        return this.#commitment.reduceRight((sum, point) => times(sum, BigInt(index)).add(point), Point.ZERO);
    }
}

function splitPoints(bytes) {
    if (bytes.length % POINT_SIZE !== 0 || bytes.length > MEMBERS_MAX * POINT_SIZE) {
        throw new RangeError("not points");
    }
    return Array.from({ length: bytes.length / POINT_SIZE }, (_, at) => bytes.subarray(at * POINT_SIZE, (at + 1) * POINT_SIZE));
}

/**
 * Checks form and points, not that key generation made it.
 *
 * @param {Uint8Array} bytes
 * @throws {PgveilError} "malformed"
 */
export function parseGroup(bytes) {
    try {
        const [title, id, epoch, threshold, members, commitment, ...rest] = fieldsOf(bytes);
        const fields = {
            id, epoch: Number(number(epoch)), threshold: Number(number(threshold)), members: splitPoints(members),
            commitment: splitPoints(commitment).map((point) => pointOf(point, POINT_SIZE)) };
        fields.members.forEach((point) => pointOf(point, POINT_SIZE));
        const group = new Group(bytes, fields);
        const isWhole = isSame(title, utf8("pgveil/1 quorum group")) && id.length === 32 && epoch.length === 4 && threshold.length === 4 &&
            rest.length === 0 && fields.threshold >= 2 && fields.threshold <= fields.members.length &&
            fields.commitment.length === fields.threshold && new Set(fields.members.map(String)).size === fields.members.length &&
            fields.members.every((_, at) => !group.verificationShare(at + 1).is0());
        if (isWhole) {
            return group;
        }
    } catch {
        // said below
    }
    throw new PgveilError("malformed", "this is no group of this version");
}

/** Schnorr's scheme of COCKTAIL-DKG. @param {Uint8Array} key 65 bytes @param {Uint8Array} message @param {Uint8Array} signature */
export function isSigned(key, message, signature) {
    const response = signature.length === POINT_SIZE ? scalar(signature.subarray(33)) : null;
    if (response === null) {
        return false;
    }
    try {
        const own = pointOf(key, POINT_SIZE);
        const commitment = pointOf(signature.subarray(0, 33), 33);
        const input = concat(utf8("COCKTAIL-DKG-P256-SHA256-H7"), commitment.toBytes(true), own.toBytes(true), message);
        const hashed = concat(...[1, 2].map((counter) => sha256(concat(Uint8Array.of(counter), input))));
        const challenge = number(hashed.subarray(0, REDUCED_SIZE));
        return times(Point.BASE, response).equals(commitment.add(times(own, challenge)));
    } catch {
        return false;
    }
}

function hashToScalar(context, ...parts) {
    const sized = parts.slice(0, -1).flatMap((part) => [bigEndian(part.length, 2), part]);
    const message = concat(...sized, utf8(parts.at(-1)));
    return Scalars.create(number(expandMessage(message, concat(utf8("HashToScalar-"), context), REDUCED_SIZE, sha256)));
}

function composite(context, key, base, result) {
    const seed = sha256(concat(...[key, concat(utf8("Seed-"), context)].flatMap((part) => [bigEndian(part.length, 2), part])));
    const message = concat(bigEndian(32, 2), seed, bigEndian(0, 2), bigEndian(33, 2), base, bigEndian(33, 2), result, utf8("Composite"));
    return Scalars.create(number(expandMessage(message, concat(utf8("HashToScalar-"), context), REDUCED_SIZE, sha256)));
}

/**
 * RFC 9497 section 2.2, VerifyProof for one base, P256-SHA256: log_G(key) = log_base(result).
 *
 * @param {Uint8Array} context
 * @param {{key: object, base: object, result: object}} claim points
 * @param {Uint8Array} proof 64 bytes
 */
export function isProved(context, { key, base, result }, proof) {
    const [challenge, response] = [scalar(proof.subarray(0, 32)), scalar(proof.subarray(32))];
    if (proof.length !== 64 || challenge === null || response === null) {
        return false;
    }
    const weight = composite(context, encoded(key), encoded(base), encoded(result));
    const [bases, results] = [times(base, weight), times(result, weight)];
    const ofGenerator = times(Point.BASE, response).add(times(key, challenge));
    const ofBases = times(bases, response).add(times(results, challenge));
    return challenge === hashToScalar(
        context, encoded(key), encoded(bases), encoded(results), encoded(ofGenerator), encoded(ofBases), "Challenge");
}

/**
 * Whether a member's result is its share times the point, for this context.
 *
 * @param {Group} group
 * @param {Uint8Array} point 65 bytes
 * @param {Uint8Array} context
 * @param {{index: number, value: object, proof: Uint8Array}} partial
 */
export function partialHolds(group, point, context, { index, value, proof }) {
    const digest = sha256(lengthPrefixed(group.digest, bigEndian(index, 4), point, context));
    const claim = { key: group.verificationShare(index), base: pointOf(point, POINT_SIZE), result: value };
    return isProved(concat(utf8("pgveil/1 partial "), digest), claim, proof);
}

// Lagrange's factor of `index` at 0.
function factor(indices, index) {
    return indices.filter((other) => other !== index).reduce((product, other) => Scalars.mul(
        product, Scalars.div(BigInt(other), Scalars.create(BigInt(other - index)))), 1n);
}

/**
 * X coordinate of the private key times the point, from partials that hold, of as many members as the threshold.
 *
 * @param {{index: number, value: object}[]} partials
 * @returns {Uint8Array} 32 bytes
 */
export function combined(partials) {
    const indices = partials.map(({ index }) => index);
    const sum = partials.reduce((all, { index, value }) => all.add(times(value, factor(indices, index))), Point.ZERO);
    return sum.toBytes(true).subarray(1);
}
