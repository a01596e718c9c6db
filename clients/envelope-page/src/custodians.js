// Those who keep the shares: what the page asks them over HTTPS, with the browser's client certificate.
import { fromBase64url, isSame, toBase64url } from "../../browser/bytes.js";
import { PgveilError } from "../../browser/error.js";
import { parseGroup } from "./group.js";
import { ask } from "./question.js";

const TIMEOUT_MS = 10_000;
/** After so long another holder is asked, too. */
const PATIENCE_MS = 1500;
/** What a request is for if nothing else is said, as with pgveil-envelope. */
export const PURPOSE = "open";

/** One custodian. `origin` is empty for the one that serves the page. */
export class Custodian {
    constructor(origin) {
        this.origin = origin;
        this.name = new URL(origin || location.href).host;
    }

    /**
     * @param {string} path
     * @param {object} [body] makes it a POST
     * @returns {Promise<object>} the answer's JSON
     * @throws {PgveilError} "unreachable", or "refused" with the custodian's own words and `status`
     */
    async call(path, body) {
        const init = { credentials: "include", cache: "no-store", redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) };
        if (body !== undefined) {
            Object.assign(init, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
        }
        let response, answer;
        try {
            response = await fetch(this.origin + path, init);
            answer = await response.json();
        } catch (error) {
            throw new PgveilError("unreachable", error.name === "TimeoutError" ? `does not answer within ${TIMEOUT_MS / 1000} seconds`
                : response === undefined ? "cannot be reached, or refuses this page or your certificate" : "gives an answer that is none");
        }
        if (!response.ok) {
            const said = new PgveilError("refused", answer?.error?.message ?? `answers ${response.status}`);
            said.status = response.status;
            throw said;
        }
        return answer;
    }
}

/** A key that files are sealed to, and who holds its shares. */
class Key {
    constructor(id) {
        this.id = id;
        this.group = null; // of the newest epoch that a custodian is in
        this.holders = []; // {custodian, index}, of that epoch
        this.isForFiles = false; // its policy lets somebody have files opened: groups may serve other ends
        this.isDisputed = false; // two custodians say different things of the same epoch
    }

    add(custodian, { group, index, purposes }) {
        this.isForFiles ||= purposes.includes(PURPOSE);
        if (this.group !== null && !isSame(this.group.key, group.key)) {
            this.isDisputed = true;
        }
        if (this.group === null || group.epoch > this.group.epoch) {
            [this.group, this.holders] = [group, []];
        }
        if (group.epoch === this.group.epoch) {
            this.isDisputed ||= !isSame(this.group.bytes, group.bytes);
            this.holders.push({ custodian, index });
        }
    }

    /** Names of the custodians that say so. */
    get witnesses() {
        return this.holders.map(({ custodian }) => custodian.name);
    }

    /** @throws {PgveilError} "disputed" */
    mustBeAgreed() {
        if (this.isDisputed) {
            throw new PgveilError("disputed", `the custodians tell different keys for group ${this.id}: one of them is not honest, or was ` +
                "restored from an old copy. Nothing is protected or opened with it; tell the administrators");
        }
    }
}

function parsed(text) {
    const bytes = typeof text === "string" ? fromBase64url(text) : null;
    if (bytes === null) {
        throw new PgveilError("malformed", "gives a group that is none");
    }
    return parseGroup(bytes);
}

async function groupsOf(custodian) {
    const health = await custodian.call("/v1/health");
    if (typeof health.name === "string") {
        custodian.name = health.name;
    }
    const list = await custodian.call("/v1/groups");
    const live = list.filter(({ state }) => state === "live");
    return Promise.all(live.map(async ({ id, index, purposes }) => {
        const { group } = await custodian.call(`/v1/groups/${encodeURIComponent(id)}`);
        return { id, index, purposes, group: parsed(group) };
    }));
}

/**
 * What the custodians say of their keys. A custodian that does not answer is told and passed over.
 *
 * @param {Custodian[]} custodians
 * @returns {Promise<{keys: Key[], problems: Map<Custodian, string>}>}
 */
export async function loadKeys(custodians) {
    const problems = new Map();
    const found = await Promise.all(custodians.map((custodian) => groupsOf(custodian).catch((error) => {
        problems.set(custodian, error.message);
        return [];
    })));
    const keys = new Map();
    found.forEach((groups, at) => groups.forEach((held) => {
        keys.set(held.id, keys.get(held.id) ?? new Key(held.id));
        keys.get(held.id).add(custodians[at], held);
    }));
    return { keys: [...keys.values()], problems };
}

/** The key that a file is sealed to. @param {Key[]} keys @param {{group: Uint8Array}} header */
export function keyOf(keys, header) {
    const key = keys.find(({ group }) => isSame(group.fingerprint, header.group));
    if (key === undefined) {
        throw new PgveilError("foreign", "the file is sealed to a key that none of these custodians holds");
    }
    key.mustBeAgreed();
    return key;
}

/**
 * What opens a file: asks as many holders as are needed at once, and another one for each that does not help or is slow.
 *
 * @param {Key} key
 * @param {object} header of the file
 * @param {{requester: string, purpose: string}} words
 * @returns {Promise<{sharedX: Uint8Array, id: string, helped: string[], missing: string[]}>} `id` stands in the holders' logs
 * @throws {PgveilError} "missing": says who did not help, and why; "stale": what was loaded of the key may be old
 */
export async function askHolders(key, header, words) {
    const question = await ask(key.group, header.point, words);
    const { partials, missing, isStale } = await partialsOf(key, question, header);
    const { threshold } = key.group;
    if (partials.length < threshold) {
        throw new PgveilError(isStale ? "stale" : "missing", `the file stays closed: ${partials.length} of ${threshold} holders helped` +
            (missing.length > 0 ? `, without ${missing.join(", ")}` : "; no other answers"));
    }
    const helped = partials.slice(0, threshold).sort((left, right) => left.index - right.index);
    return { sharedX: question.combined(helped), id: question.id, helped: helped.map(({ name }) => name), missing };
}

/** Ends with enough partials, or when there is nobody left to ask. */
async function partialsOf(key, question, header) {
    const body = { request: toBase64url(question.bytes), header: toBase64url(header.bytes) };
    const [waiting, silent, partials, missing] = [[...key.holders], new Set(), [], []];
    let isStale = waiting.length < key.group.threshold;

    async function answerOf({ custodian, index }) {
        const { answer } = await custodian.call(`/v1/groups/${encodeURIComponent(key.id)}/partial`, body);
        const partial = await question.opened(index, fromBase64url(String(answer)) ?? new Uint8Array());
        partials.push({ ...partial, name: custodian.name });
    }

    await new Promise((resolve) => {
        async function start() {
            const holder = waiting.shift();
            if (holder === undefined) {
                return;
            }
            const { name } = holder.custodian;
            silent.add(name);
            const late = setTimeout(start, PATIENCE_MS);
            const problem = await answerOf(holder).then(() => null, (error) => error);
            clearTimeout(late);
            silent.delete(name);
            if (problem !== null) {
                isStale ||= problem.status === 409; // its shares were renewed, perhaps
                missing.push(`${name} (${problem.message})`);
                start();
            }
            if (silent.size === 0 || partials.length >= key.group.threshold) {
                resolve();
            }
        }
        for (let asked = 0; asked < key.group.threshold; ++asked) {
            start();
        }
        if (silent.size === 0) {
            resolve();
        }
    });
    missing.push(...Array.from(silent, (name) => `${name} (has not answered yet)`));
    return { partials: [...partials], missing: [...missing], isStale };
}
