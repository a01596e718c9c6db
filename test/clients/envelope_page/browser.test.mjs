// The page in a headless Chromium, served by a real custodian, with two more behind it: envelope_page_test.py starts them and this.
// PGVEIL_PAGE_TEST is what it tells: {urls, names, pids, group, fingerprint, folder, clients: {name: [certificate, key]}}.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { PACKAGES } from "./page.mjs";

const installed = createRequire(join(PACKAGES, "node_modules", "test.js"));
const { chromium } = installed("playwright-core");
const AXE = readFileSync(installed.resolve("axe-core/axe.min.js"), "utf8");
const { urls, names, pids, fingerprint, folder, clients } = JSON.parse(process.env.PGVEIL_PAGE_TEST);
const CONTENT = randomBytes(36 * 65536 + 77); // two batches of the stream
const CHUNK = 65536 + 16;
const path = (name) => join(folder, name);

let browser;
let grey, admin; // a page for most tests, and one of an administrator: loading it is what takes time
before(async () => {
    writeFileSync(path("report.txt"), CONTENT);
    // Root's processes cannot be confined any further.
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
    grey = await pageOf("grey");
});
after(() => browser?.close());

/** The page as somebody sees it. The picker's dialog, which no test can click, gives files of the page's own file system. */
async function pageOf(client, { picker = true } = {}) {
    const [certPath, keyPath] = clients[client];
    const context = await browser.newContext({
        clientCertificates: urls.map((origin) => ({ origin, certPath, keyPath })), acceptDownloads: true });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    page.complaints = [];
    page.on("pageerror", (error) => page.complaints.push(error.message));
    page.on("console", (message) => /Content Security|TrustedScript|Refused/.test(message.text()) && page.complaints.push(message.text()));
    await page.addInitScript((withPicker) => {
        window.showSaveFilePicker = withPicker ? async ({ suggestedName }) =>
            (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true }) : undefined;
    }, picker);
    await page.goto(urls[0] + "/");
    await page.locator("#custodians", { hasNotText: "Asking" }).waitFor();
    return page;
}

async function saved(page, name) {
    const text = await page.evaluate(async (wanted) => {
        const root = await navigator.storage.getDirectory();
        const file = await root.getFileHandle(wanted).then((handle) => handle.getFile(), () => null);
        return file && new Promise((resolve) => {
            const reader = Object.assign(new FileReader(), { onload: () => resolve(reader.result) });
            reader.readAsDataURL(file);
        });
    }, name);
    return text === null ? null : Buffer.from(text.slice(text.indexOf(",") + 1), "base64");
}

/** What came of the newest job. */
async function outcome(page) {
    const last = page.locator("#jobs > li").last().locator(".outcome");
    await last.filter({ hasText: /./ }).waitFor();
    return last.textContent();
}

async function done(page, file) {
    const before = await page.locator("#jobs > li").count();
    await page.setInputFiles("#files", file);
    const job = page.locator("#jobs > li").nth(before);
    await job.getByRole("button", { name: /and save/ }).click();
    return outcome(page);
}

function program(...args) {
    return execFileSync(join(process.env.PGVEIL_BIN, "pgveil-envelope"), args, {
        cwd: folder, env: { ...process.env, PGVEIL_MEMORY: "unlocked" }, stdio: "pipe", timeout: 60_000 }).toString();
}

test("C9 the page tells the key, its fingerprint, who confirms it and who is asked as", async () => {
    const page = grey;
    assert.match(await page.textContent("#custodians"), new RegExp(`${names[0]} answers; ${names[1]} answers; ${names[2]} answers\\. You are grey\\.`));
    assert.equal(await page.textContent(".fingerprint"), Buffer.from(fingerprint, "base64url").toString("hex").match(/.{8}/g).join(" "));
    assert.match(await page.textContent("#keys"), new RegExp(`Confirmed by ${names.join(" and ")}\\. Any 2 of its 3 holders`));
    assert.match(await page.textContent("#trust"), /could alter it/);
    assert.deepEqual(page.complaints, []);
});

test("C6 C7 a file is protected and opened again; pgveil-envelope knows it, and its files open, too", async () => {
    const page = grey;
    await page.click("#policy summary");
    await page.fill("#who", "grey\nauditor\n");
    await page.fill("#until", "2090-01-31");
    assert.match(await done(page, path("report.txt")), /^protected, for auditor, grey, until 2090-02-01 00:00:00 UTC$/);
    const file = await saved(page, "report.txt.pgveil");
    await page.fill("#who", "");
    await page.fill("#until", "");
    writeFileSync(path("report.pgveil"), file);
    assert.match(program("show", "report.pgveil"), /auditor/);
    assert.match(await done(page, path("report.pgveil")), /^opened, with custodian-\d and custodian-\d.*; request [0-9a-f]{32}$/);
    assert.ok(CONTENT.equals(await saved(page, "report")));

    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: /Save the key file/ }).click()]);
    await download.saveAs(path("saved.pub"));
    program("seal", "report.txt", "--key", "saved.pub", "--out", "made.pgveil", "--purpose", "yearly audit");
    assert.match(await done(page, path("made.pgveil")), /^opened/);
    assert.ok(CONTENT.equals(await saved(page, "made")));
    assert.deepEqual(page.complaints, []);
});

test("a dropped file is taken; a browser without the picker downloads, and says its limit", async () => {
    const page = await pageOf("grey", { picker: false });
    assert.match(await page.textContent("#files-hint"), /at most 512\.0 MiB each/);
    const transfer = await page.evaluateHandle(() => {
        const dropped = new DataTransfer();
        dropped.items.add(new File(["some words"], "words.txt"));
        return dropped;
    });
    await page.dispatchEvent("h1", "drop", { dataTransfer: transfer });
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Protect and save: words.txt" }).click()]);
    assert.equal(download.suggestedFilename(), "words.txt.pgveil");
    await download.saveAs(path("words.pgveil"));
    const [opened] = await Promise.all([page.waitForEvent("download"), done(page, path("words.pgveil"))]);
    assert.equal(readFileSync(await opened.path(), "utf8"), "some words");
    await page.context().close();
});

test("C5 a bad file is named for what it is, and leaves nothing", async () => {
    const page = grey;
    program("seal", "report.txt", "--key", "group.pub", "--out", "sound.pgveil", "--force");
    program("seal", "report.txt", "--key", "group.pub", "--out", "eves.pgveil", "--for", "eve", "--force");
    const file = readFileSync(path("sound.pgveil"));
    const body = file.length - CONTENT.length - Math.ceil(CONTENT.length / 65536) * 16;
    const altered = Buffer.from(file);
    altered[body + 33 * CHUNK + 9] ^= 1;
    const header = Buffer.from(file);
    header[100] ^= 1;
    for (const [name, bytes, says] of [
        ["altered", altered, /^chunk 34 \(content from byte 2162688\) does not verify/],
        ["short", file.subarray(0, body + 3 * CHUNK), /^the file was cut off behind chunk 3/],
        ["header", header, /^this is not a protected file of this version, or its header was altered/],
        ["eves", readFileSync(path("eves.pgveil")), /^the file stays closed: 0 of 2 holders helped, without .*eve|name "grey"/]]) {
        writeFileSync(path(`${name}.pgveil`), bytes);
        assert.match(await done(page, path(`${name}.pgveil`)), says);
        assert.equal(await saved(page, name), null);
    }
    assert.match(await done(page, path("sound.pgveil")), /^opened/);
});

test("C9 the log shows who asked, to administrators", async () => {
    const page = grey;
    const [, one, other, id] = /with (\S+) and ([a-z]+-\d).*request ([0-9a-f]{32})/.exec(await done(page, path("sound.pgveil")));
    await page.click("#show-log");
    await page.locator("#logs > p").first().waitFor();
    assert.match(await page.textContent("#logs"), /no administrator/);

    admin = await pageOf("admin");
    await admin.click("#show-log");
    await admin.locator("#logs table").nth(2).waitFor();
    for (const name of [one, other]) {
        const row = admin.getByRole("region", { name: `Access log of ${name}` }).locator("tr", { hasText: id });
        assert.match(await row.textContent(), /grey.*open/);
    }
    assert.equal((await admin.textContent("#logs")).match(/The chain of its entries is whole/g).length, 3);
});

test("the keyboard is enough", async () => {
    const page = grey;
    const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.getAttribute("aria-label"));
    const chooser = page.waitForEvent("filechooser");
    await page.reload();
    await page.locator("#custodians", { hasText: "You are grey" }).waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "files");
    await page.keyboard.press("Space");
    await (await chooser).setFiles(path("report.txt"));
    await page.waitForFunction(() => document.activeElement.getAttribute("aria-label") === "Protect and save: report.txt");
    await page.keyboard.press("Enter");
    assert.match(await outcome(page), /^protected/);
    assert.match(await page.textContent("#said"), /^report\.txt: protected/);
    for (let presses = 0; presses < 12 && await focused() !== "show-log"; ++presses) {
        await page.keyboard.press("Tab");
    }
    assert.equal(await focused(), "show-log");
});

test("axe finds nothing on the page with files and logs, in light and dark", async () => {
    const page = admin;
    await page.setInputFiles("#files", path("report.txt"));
    for (const summary of await page.locator("summary").all()) {
        await summary.click();
    }
    await page.evaluate(AXE);
    for (const [colorScheme, options] of [["light", {}], ["dark", { runOnly: ["color-contrast"] }]]) {
        await page.emulateMedia({ colorScheme });
        const { violations, passes } = await page.evaluate((how) => globalThis.axe.run(how), options);
        assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target)}`), []);
        assert.ok(passes.some(({ id }) => id === "color-contrast"));
    }
});

test("C10 a silent or dead holder is named and not missed; with too few the file stays closed", async () => {
    const page = grey;
    process.kill(pids[1], "SIGSTOP");
    assert.match(await done(page, path("sound.pgveil")), new RegExp(
        `^opened, with ${names[0]} and ${names[2]}, without ${names[1]} \\(has not answered yet\\)`));
    process.kill(pids[1], "SIGKILL");
    assert.match(await done(page, path("sound.pgveil")), new RegExp(
        `^opened, with ${names[0]} and ${names[2]}, without ${names[1]} \\(cannot be reached`));
    assert.ok(CONTENT.equals(await saved(page, "sound")));
    process.kill(pids[2], "SIGKILL");
    writeFileSync(path("late.pgveil"), readFileSync(path("sound.pgveil")));
    const said = await done(page, path("late.pgveil"));
    assert.match(said, /^the file stays closed: 1 of 2 holders helped, without /);
    assert.ok(said.includes(`${names[1]} (cannot be reached`) && said.includes(`${names[2]} (cannot be reached`), said);
    assert.equal(await saved(page, "late"), null);
    assert.match(await done(page, path("report.txt")), /^protected/); // nobody is needed for that
    await page.reload();
    await page.locator("#custodians", { hasText: "cannot be reached" }).waitFor();
    assert.match(await page.textContent("#keys"), /and by no other: compare the fingerprint/);
});
