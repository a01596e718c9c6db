// The access logs of the custodians, as tables.
import { fromBase64url, lengthPrefixed, toBase64url, utf8 } from "../../browser/bytes.js";
import { make } from "./elements.js";
import { sha256 } from "./header.js";

const PAGE = 500;
const ENTRIES_MAX = 10_000;
const SHOWN_MAX = 200;
const COLUMNS = [
    ["Time (UTC)", ({ time }) => timeText(time)], ["Who", ({ requester }) => requester], ["What", ({ operation }) => operation],
    ["Purpose", ({ purpose }) => purpose], ["Result", ({ result }) => result], ["Request", ({ request }) => request]];

function timeText(time) {
    const date = new Date(time * 1000);
    return Number.isNaN(date.getTime()) ? String(time) : date.toISOString().slice(0, 19).replace("T", " ");
}

/** Number of the last entry, by the statement that the custodian signs with each answer. */
function lastOf({ head }) {
    return JSON.parse(new TextDecoder().decode(fromBase64url(head.split(".")[1]))).seq;
}

/** The newest entries, and the number of the one before them. */
async function entriesOf(custodian) {
    const last = lastOf(await custodian.call("/v1/log?limit=1"));
    const before = Math.max(0, last - ENTRIES_MAX);
    const entries = [];
    for (let after = before; after < last;) {
        const { entries: page } = await custodian.call(`/v1/log?after=${after}&limit=${PAGE}`);
        entries.push(...page);
        after = page.at(-1)?.seq ?? last;
    }
    return { entries, before };
}

async function hashOf(name, { hash, ...line }) {
    const body = JSON.stringify(line).slice(0, -1); // without the brace behind its last member
    return toBase64url(await sha256(lengthPrefixed(utf8("pgveil/1 custodian log"), utf8(name), utf8(body))));
}

/**
 * The first entry that does not follow from the one before it, or was altered itself; undefined when there is none. That nothing is missing
 * at the end is not known from this.
 *
 * @param {string} name of the custodian
 * @param {object[]} entries
 * @param {number} before number of the entry before them; 0: they begin with the first
 */
export async function firstBroken(name, entries, before = 0) {
    let number = before;
    let previous = before === 0 ? toBase64url(new Uint8Array(32)) : entries[0]?.prev;
    for (const entry of entries) {
        number += 1;
        if (entry.seq !== number || entry.prev !== previous || entry.hash !== await hashOf(name, entry)) {
            return entry;
        }
        previous = entry.hash;
    }
    return undefined;
}

function table(name, entries, broken) {
    const state = broken === undefined ? "The chain of its entries is whole." : `It is broken at entry ${broken.seq}: something was taken ` +
        "out or altered.";
    const caption = make("caption", { textContent: `${name}: ${entries.length} entries, newest first. ${state}`, className: broken ? "bad" : "" });
    const head = make("tr", {}, ...COLUMNS.map(([title]) => make("th", { scope: "col", textContent: title })));
    const rows = entries.slice(-SHOWN_MAX).reverse().map((entry) => make("tr", {}, ...COLUMNS.map(([, of]) =>
        make("td", { textContent: of(entry) ?? "" }))));
    const scroll = make("div", { className: "scroll", tabIndex: 0 }, make("table", {}, caption, make("thead", {}, head), make("tbody", {}, ...rows)));
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", `Access log of ${name}`);
    return scroll;
}

/** One element for each custodian: its log, or why it is not shown. @param {import("./custodians.js").Custodian[]} custodians */
export function logsOf(custodians) {
    return Promise.all(custodians.map(async (custodian) => {
        try {
            const { entries, before } = await entriesOf(custodian);
            return table(custodian.name, entries, await firstBroken(custodian.name, entries, before));
        } catch (error) {
            return make("p", { className: "bad", textContent: `${custodian.name}: ${error.message}` });
        }
    }));
}
