// What tests need of the program pgveil-envelope: a group of three directories, and the shared X that two of them would give for a file,
// computed from their shares, which no holder gives out.
import { execFileSync } from "node:child_process";
import { mkdtempSync, openAsBlob, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { page } from "./page.mjs";

const { concat, fieldsOf, utf8 } = await page("browser/bytes.js");
const { combined, parseGroup, pointOf, sha256 } = await page("envelope-page/src/group.js");
const { p256: { Point } } = await page("packages/noble/curves/nist.js");

export const NAMES = ["company", "cloud", "auditor"];

const number = (bytes) => BigInt("0x" + Buffer.from(bytes).toString("hex"));

/** A holder's directory, all of it: {group, index, share, key}. */
function custody(path) {
    const [, , group, member] = fieldsOf(new Uint8Array(readFileSync(join(path, "holder"))));
    const [, share, key] = fieldsOf(member);
    const [, , , index, scalar] = fieldsOf(share);
    return { group: parseGroup(group), index: index[3], share: number(scalar), key: number(key) };
}

/** A folder with three holders and key.pub; `program()` runs pgveil-envelope in it. */
export class Holders {
    constructor() {
        this.folder = mkdtempSync(join(tmpdir(), "pgveil-page."));
        this.program("init", ...NAMES.flatMap((name) => ["--holder", `${name}=${name}`]), "--key", "key.pub");
    }

    program(...args) {
        return execFileSync(join(process.env.PGVEIL_BIN, "pgveil-envelope"), args, {
            cwd: this.folder, env: { ...process.env, PGVEIL_MEMORY: "unlocked" }, stdio: "pipe", timeout: 60_000 }).toString();
    }

    path(name) {
        return join(this.folder, name);
    }

    blob(name) {
        return openAsBlob(this.path(name));
    }

    get publicKey() {
        return new Uint8Array(Buffer.from(/^key: (.*)$/m.exec(readFileSync(this.path("key.pub")).toString())[1], "base64url"));
    }

    /** Of two of the holders. @param {Uint8Array} point */
    sharedX(point, names = ["company", "cloud"]) {
        const partials = names.map((name) => {
            const { index, share } = custody(this.path(name));
            return { index, value: pointOf(point, 65).multiply(share) };
        });
        return combined(partials);
    }

    /** What a member has that wants to cheat: the group, its number, its share, and its true signature of any words. */
    member(name) {
        const { key, ...rest } = custody(this.path(name));
        return { ...rest, sign: (words) => {
            const commitment = Point.BASE.multiply(7n).toBytes(true); // the words are all that this key ever signs
            const input = concat(utf8("COCKTAIL-DKG-P256-SHA256-H7"), commitment, Point.BASE.multiply(key).toBytes(true), words);
            const hash = concat(...[1, 2].map((counter) => sha256(concat(Uint8Array.of(counter), input))));
            const response = Point.Fn.create(7n + number(hash.subarray(0, 48)) * key);
            return concat(commitment, Point.Fn.toBytes(response));
        } };
    }

    remove() {
        rmSync(this.folder, { recursive: true });
    }
}
