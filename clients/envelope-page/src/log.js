// The access logs of the custodians, as tables.
import { make } from "./elements.js";

const PAGE = 500;
const ENTRIES_MAX = 10_000;
const SHOWN_MAX = 200;
const COLUMNS = [
    ["Time (UTC)", ({ time }) => timeText(time)], ["Who", ({ requester }) => requester], ["What", ({ operation }) => operation],
    ["Purpose", ({ purpose }) => purpose], ["Result", ({ result }) => result], ["Request", (entry) => entry.request_id ?? entry.request]];

function timeText(time) {
    const date = typeof time === "number" ? new Date(time * 1000) : new Date(time);
    return Number.isNaN(date.getTime()) ? String(time) : date.toISOString().slice(0, 19).replace("T", " ");
}

async function entriesOf(custodian) {
    const entries = [];
    for (let after = 0; entries.length < ENTRIES_MAX;) {
        const answer = await custodian.call(`/v1/log?after=${after}&limit=${PAGE}`);
        const page = Array.isArray(answer) ? answer : answer.entries;
        entries.push(...page);
        if (page.length === 0) {
            break;
        }
        after = page.at(-1).seq;
    }
    return entries;
}

/** Each entry names the hash of the one before it. Whether the hashes themselves are right says `pgveil-custodian log verify`. */
function gapIn(entries) {
    return entries.find((entry, at) => at > 0 && (entry.prev !== entries[at - 1].hash || entry.seq !== entries[at - 1].seq + 1));
}

function table(name, entries) {
    const gap = gapIn(entries);
    const state = gap === undefined ? "" : ` It is broken before entry ${gap.seq}: something was taken out or altered.`;
    const caption = make("caption", { textContent: `${name}: ${entries.length} entries, newest first.${state}`, className: gap ? "bad" : "" });
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
            return table(custodian.name, await entriesOf(custodian));
        } catch (error) {
            return make("p", { className: "bad", textContent: `${custodian.name}: ${error.message}` });
        }
    }));
}
