// One question to the holders of a group and their answers (docs/FORMATS.md, chapter 8, "Partials").
import { bigEndian, lengthPrefixed, utf8 } from "../../browser/bytes.js";
import { PgveilError } from "../../browser/error.js";
import { open } from "../../browser/hpke.js";
import { combined, isSigned, partialHolds, pointOf, sha256 } from "./group.js";

const SPOKEN = /^[ -~]{1,200}$/;
const PARTIAL_SIZE = 4 + 33 + 64;
const SIGNATURE_SIZE = 65;

/** The asker's side of one question about one point. ask() makes it. */
export class Question {
    #group;
    #point;
    #replyKey;

    constructor(group, point, replyKey, bytes, id) {
        this.#group = group;
        this.#point = point;
        this.#replyKey = replyKey;
        this.bytes = bytes;
        /** What the holders' logs call it, in hexadecimal. */
        this.id = Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
        this.digest = sha256(bytes);
        Object.freeze(this);
    }

    /**
     * The partial of member `index`, of which everything was checked: it is signed by the member, and its proof holds.
     *
     * @param {number} index
     * @param {Uint8Array} sealed
     * @throws {PgveilError} "cheating": names the member
     */
    async opened(index, sealed) {
        const cheating = (why) => new PgveilError("cheating", `member ${index}: ${why}`);
        const info = lengthPrefixed(utf8("pgveil/1 partial answer"), this.digest, bigEndian(index, 4));
        const plain = await open(this.#replyKey, info, sealed).catch(() => null);
        if (plain === null || plain.length !== PARTIAL_SIZE + SIGNATURE_SIZE) {
            throw cheating("its answer does not open");
        }
        const [bytes, signature] = [plain.subarray(0, PARTIAL_SIZE), plain.subarray(PARTIAL_SIZE)];
        const partial = partialOf(bytes);
        if (partial === null || partial.index !== index) {
            throw cheating("its answer holds no partial of its own");
        }
        const words = lengthPrefixed(utf8("pgveil/1 participation"), this.digest, bigEndian(index, 4), sha256(bytes));
        if (!isSigned(this.#group.members[index - 1], words, signature)) {
            throw cheating("its answer is not signed by it");
        }
        if (!partialHolds(this.#group, this.#point, this.digest, partial)) {
            throw cheating("the proof of its partial does not hold");
        }
        return partial;
    }

    /**
     * X coordinate of the group's private key times the point.
     *
     * @param {object[]} partials of opened(), of different members
     */
    combined(partials) {
        const members = new Map(partials.map((partial) => [partial.index, partial]));
        if (members.size < this.#group.threshold) {
            throw new PgveilError("missing", `partials of ${members.size} members, and ${this.#group.threshold} are needed`);
        }
        return combined([...members.values()].slice(0, this.#group.threshold));
    }
}

function partialOf(bytes) {
    try {
        return { index: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), value: pointOf(bytes.subarray(4, 37), 33), proof: bytes.subarray(37) };
    } catch {
        return null;
    }
}

/**
 * A question with a fresh id and reply key; for published vectors these may be given.
 *
 * @param {import("./group.js").Group} group
 * @param {Uint8Array} point 65 bytes
 * @param {{requester: string, purpose: string}} words 1 to 200 characters of printable ASCII each
 */
export async function ask(group, point, { requester, purpose }, { id, replyKey } = {}) {
    if (!SPOKEN.test(requester) || !SPOKEN.test(purpose)) {
        throw new PgveilError("name", "requester and purpose are 1 to 200 characters of printable ASCII each");
    }
    id ??= crypto.getRandomValues(new Uint8Array(16));
    replyKey ??= await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
    const reply = new Uint8Array(await crypto.subtle.exportKey("raw", replyKey.publicKey));
    const bytes = lengthPrefixed(utf8("pgveil/1 partial request"), group.id, bigEndian(group.epoch, 4), point, utf8(requester),
        utf8(purpose), id, reply);
    return new Question(group, point, replyKey, bytes, id);
}
