// The page: drops and choices of files, the keys of the custodians, their logs.
import { fingerprintText, toBase64url } from "../../browser/bytes.js";
import { PgveilError } from "../../browser/error.js";
import { Custodian, loadKeys } from "./custodians.js";
import { byId, make, say, sizeText } from "./elements.js";
import { jobFor } from "./job.js";
import { logsOf } from "./log.js";
import { isStreaming, MEMORY_LIMIT, save } from "./output.js";

const others = [...document.querySelectorAll("meta[name='pgveil-custodian']")].map(({ content }) => content);
const custodians = ["", ...others.filter((origin) => origin !== location.origin)].map((origin) => new Custodian(origin));
let requester = null; // whom the certificate names, if the custodian tells
let loaded = load();

async function load() {
    const whoami = custodians[0].call("/v1/whoami").catch(() => ({}));
    const { keys, problems } = await loadKeys(custodians);
    ({ requester = null } = await whoami);
    byId("requester-choice").hidden = requester !== null;
    byId("asking").open ||= requester === null;
    showCustodians(problems);
    showKeys(keys.filter(({ isForFiles }) => isForFiles));
    return keys;
}

function showCustodians(problems) {
    const states = custodians.map((custodian) => `${custodian.name} ${problems.get(custodian) ?? "answers"}`);
    byId("custodians").textContent = `${states.join("; ")}.` + (requester === null ? "" : ` You are ${requester}.`);
    byId("custodians").className = problems.size > 0 ? "bad" : "";
}

function keyElement(key) {
    const file = make("button", { type: "button", className: "second", textContent: "Save the key file" });
    file.setAttribute("aria-label", `Save the key file of group ${key.id}`);
    const { threshold, members } = key.group;
    file.addEventListener("click", () => save(
        new Blob([`pgveil envelope key 1\nkey: ${toBase64url(key.group.key)}\n`]), "key.pub"));
    const single = key.holders.length > 1 ? "" : ", and by no other: compare the fingerprint before you rely on it";
    return make("li", {},
        make("div", { textContent: "Fingerprint" }), make("div", { className: "fingerprint", textContent: fingerprintText(key.group.fingerprint) }),
        make("p", { textContent: key.isDisputed ? "The custodians do not agree about this key: it is not used." : `Confirmed by ` +
            `${key.witnesses.join(" and ")}${single}. Any ${threshold} of its ${members.length} holders open a file together.`,
        className: key.isDisputed ? "bad" : "" }),
        make("div", { className: "actions" }, file));
}

function showKeys(keys) {
    byId("keys").replaceChildren(...keys.map(keyElement));
    byId("keys-state").textContent = keys.length === 0 ? "No custodian tells a key for files." : "";
    byId("key").replaceChildren(...keys.map((key) => make("option", {
        value: key.id, textContent: fingerprintText(key.group.fingerprint) })));
    byId("key-choice").hidden = keys.length < 2;
}

/** What the custodians say, asked again if wanted, or if there was nothing. */
async function currentKeys(anew = false) {
    let keys = await loaded;
    if (anew || keys.length === 0) {
        loaded = load();
        keys = await loaded;
    }
    return keys;
}

async function chosenKey() {
    const keys = await currentKeys();
    const key = keys.find(({ id }) => id === byId("key").value);
    if (key === undefined) {
        throw new PgveilError("missing", "no custodian tells a key to protect files with: see above which of them answers");
    }
    key.mustBeAgreed();
    return key;
}

function policy() {
    const who = byId("who").value.split("\n").map((name) => name.trim()).filter((name) => name !== "").sort();
    // The end of the day is the start of the next one.
    const until = byId("until").value === "" ? 0 : Date.parse(`${byId("until").value}T00:00:00Z`) / 1000 + 86_400;
    return { who, until, purpose: byId("purpose").value.trim() };
}

function words(header) {
    return { requester: requester ?? byId("requester").value.trim(), purpose: header.policy.purpose || byId("asked-purpose").value.trim() };
}

async function addFiles(files) {
    const jobs = await Promise.all([...files].map((file) => jobFor(file, { keys: currentKeys, chosenKey, policy, words })));
    byId("jobs").append(...jobs.map((job) => job.element()));
    if (jobs.length > 0) {
        say(jobs.length === 1 ? "1 file is ready" : `${jobs.length} files are ready`);
        jobs[0].button.focus();
    }
}

async function showLogs() {
    byId("show-log").disabled = true;
    byId("log-state").textContent = "Asking…";
    byId("logs").replaceChildren(...await logsOf(custodians));
    byId("log-state").textContent = "";
    byId("show-log").disabled = false;
}

function listen() {
    byId("files").addEventListener("change", async ({ target }) => {
        await addFiles(target.files);
        target.value = ""; // so that the same file can be chosen again
    });
    // Anywhere on the page: a file that misses the box must not be shown by the browser instead.
    document.addEventListener("dragover", (event) => {
        event.preventDefault();
        byId("drop").classList.add("over");
    });
    document.addEventListener("dragleave", () => byId("drop").classList.remove("over"));
    document.addEventListener("drop", (event) => {
        event.preventDefault();
        byId("drop").classList.remove("over");
        addFiles(event.dataTransfer.files);
    });
    byId("show-log").addEventListener("click", showLogs);
}

byId("limit").textContent = isStreaming ? "" : ` This browser cannot write files bit by bit: at most ${sizeText(MEMORY_LIMIT)} each.`;
listen();
