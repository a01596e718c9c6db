// One file on the page: what it is, the button that protects or opens it, its progress and what came of it.
import { PgveilError } from "../../browser/error.js";
import { hasTitle, bodyKey, START_SIZE } from "./header.js";
import { opened, readHeader, sealed } from "./body.js";
import { askHolders, keyOf } from "./custodians.js";
import { make, say, sizeText } from "./elements.js";
import { chooseOutput } from "./output.js";

const SUFFIX = ".pgveil";
const PROTECT = { action: "Protect and save", done: "protected", nameFor: (name) => name + SUFFIX };
const OPEN = {
    action: "Open and save", done: "opened",
    nameFor: (name) => (name.endsWith(SUFFIX) && name.length > SUFFIX.length ? name.slice(0, -SUFFIX.length) : `${name}.opened`) };

function policyText({ who, until, purpose }) {
    const parts = [who.length > 0 ? `for ${who.join(", ")}` : "for everybody whom the holders serve"];
    if (until > 0) {
        const end = new Date(until * 1000);
        parts.push(Number.isNaN(end.getTime()) ? "for a very long time" : `until ${end.toISOString().slice(0, 19).replace("T", " ")} UTC`);
    }
    if (purpose !== "") {
        parts.push(`for the purpose "${purpose}"`);
    }
    return parts.join(", ");
}

/** @typedef {{keys: (anew: boolean) => Promise<object[]>, chosenKey: () => Promise<object>, policy: () => object, words: (header: object) => object}} Setting */

class Job {
    #file;
    #kind;
    #setting;
    #stopped = false;
    #progress = make("progress", { hidden: true, max: 1, value: 0 });
    #outcome = make("p", { className: "outcome" });
    #start;
    #stop = make("button", { type: "button", className: "second", textContent: "Cancel", hidden: true });

    constructor(file, kind, setting) {
        this.#file = file;
        this.#kind = kind;
        this.#setting = setting;
        this.#start = make("button", { type: "button", textContent: kind.action });
        this.#start.setAttribute("aria-label", `${kind.action}: ${file.name}`);
        this.#stop.setAttribute("aria-label", `Cancel: ${file.name}`);
        this.#progress.setAttribute("aria-label", `Progress of ${file.name}`);
        this.#start.addEventListener("click", () => this.#run());
        this.#stop.addEventListener("click", () => {
            this.#stopped = true;
        });
    }

    element() {
        return make("li", {}, make("strong", { textContent: this.#file.name }), ` (${sizeText(this.#file.size)}) `,
            this.#progress, make("div", { className: "actions" }, this.#start, this.#stop), this.#outcome);
    }

    get button() {
        return this.#start;
    }

    #end(text, className) {
        Object.assign(this.#outcome, { textContent: text, className: `outcome ${className}` });
        say(`${this.#file.name}: ${text}`);
        this.#progress.hidden = this.#stop.hidden = true;
        this.#start.disabled = false;
    }

    async #run() {
        this.#stopped = false;
        this.#start.disabled = true;
        this.#outcome.textContent = "";
        let output = null;
        try {
            output = await chooseOutput(this.#kind.nameFor(this.#file.name), this.#file.size);
            if (output === null) {
                this.#end("nothing was saved", "");
                return;
            }
            this.#progress.hidden = this.#stop.hidden = false;
            say(`${this.#file.name}: working`);
            const how = this.#kind === OPEN ? await this.#opening() : await this.#protecting();
            await this.#copy(how.parts, output);
            await output.close();
            this.#end(`${this.#kind.done}, ${how.words}`, "good");
        } catch (error) {
            await output?.abort();
            this.#end(error.name === "PgveilError" ? error.message : `it failed: ${error.message}`, "bad");
        }
    }

    async #protecting() {
        const key = await this.#setting.chosenKey();
        const policy = this.#setting.policy();
        return { parts: sealed(this.#file, key.group.key, policy), words: policyText(policy) };
    }

    async #opening() {
        const header = await readHeader(this.#file);
        const { sharedX, id, helped, missing } = await this.#ask(header, false).catch((error) => {
            if (error.code !== "stale") {
                throw error;
            }
            return this.#ask(header, true);
        });
        const words = `with ${helped.join(" and ")}` + (missing.length > 0 ? `, without ${missing.join(", ")}` : "") + `; request ${id}`;
        return { parts: opened(this.#file, header, await bodyKey(header, sharedX)), words };
    }

    async #ask(header, anew) {
        return askHolders(keyOf(await this.#setting.keys(anew), header), header, this.#setting.words(header));
    }

    async #copy(parts, output) {
        let done = 0;
        for await (const part of parts) {
            if (this.#stopped) {
                throw new PgveilError("cancelled", "cancelled: nothing was saved");
            }
            await output.write(part);
            done += part.length;
            this.#progress.value = Math.min(1, done / Math.max(1, this.#file.size));
        }
    }
}

/** A job for a file, by its first bytes. @param {File} file @param {Setting} setting */
export async function jobFor(file, setting) {
    const start = await file.slice(0, START_SIZE).arrayBuffer().then((bytes) => new Uint8Array(bytes), () => new Uint8Array());
    return new Job(file, hasTitle(start) ? OPEN : PROTECT, setting);
}
