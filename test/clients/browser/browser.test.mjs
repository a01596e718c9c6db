// The module of clients/browser under Node, whose WebCrypto is the same API: published vectors, and what a page must not
// take. That a real proxy and a real browser take its tokens shows browser_test.py.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { seal } from "../../../clients/browser/hpke.js";
import { openUserFile, withShares } from "../../../clients/browser/pgveil.js";
import { keyForNonce } from "../../../clients/browser/xaes.js";
import { keyPair, partsOf, signed, statementOf, userFile } from "./proxy.mjs";

const hex = (text) => new Uint8Array(Buffer.from(text, "hex"));
const vectors = (name) => JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url)));
const refused = (work, code) => assert.rejects(work, (error) => error.name === "PgveilError" && error.code === code);

const PASSPHRASE = "correct hörse battery";
const IDENTITY = keyPair();
const TOKEN_KEY = keyPair();
const FILE = userFile(IDENTITY, PASSPHRASE);
const STATEMENT = signed(IDENTITY, statementOf(TOKEN_KEY));

// All tests stand at one moment of their own; none of them waits.
let now_s = 1_050_000;
Date.now = () => now_s * 1000;

async function at(seconds, work) {
    const before = now_s;
    now_s = seconds;
    try {
        return await work();
    } finally {
        now_s = before;
    }
}

test("HPKE seals as RFC 9180's vectors say", async () => {
    const chosen = vectors("hpke-rfc9180-p256-sha256.json").filter(({ mode, aead_id }) => mode === 0 && aead_id === 2);
    assert.equal(chosen.length, 1);
    for (const { info, pkRm, pkEm, skEm, enc, encryptions } of chosen) {
        const [x, y, d] = [pkEm.slice(2, 66), pkEm.slice(66), skEm].map((part) => Buffer.from(part, "hex").toString("base64url"));
        const curve = { name: "ECDH", namedCurve: "P-256" };
        const jwk = { kty: "EC", crv: "P-256", x, y };
        const ephemeral = {
            privateKey: await crypto.subtle.importKey("jwk", { ...jwk, d }, curve, false, ["deriveBits"]),
            publicKey: await crypto.subtle.importKey("jwk", jwk, curve, true, []) };
        const [{ aad, pt, ct }] = encryptions;
        const sealed = await seal(hex(pkRm), hex(info), hex(pt), { aad: hex(aad), ephemeral });
        assert.equal(Buffer.from(sealed).toString("hex"), enc + ct);
    }
});

test("XAES-256-GCM opens its published vectors, and no altered one", async () => {
    for (const { key, nonce, aad, plaintext, ciphertext } of vectors("xaes-256-gcm.json").vectors) {
        const imported = await crypto.subtle.importKey("raw", hex(key), "AES-CBC", false, ["encrypt"]);
        const derived = await keyForNonce(imported, hex(nonce));
        const how = { name: "AES-GCM", iv: hex(nonce).slice(12), additionalData: hex(aad) };
        const opened = await crypto.subtle.decrypt(how, derived, hex(ciphertext));
        assert.equal(Buffer.from(opened).toString("hex"), plaintext);
        const altered = hex(ciphertext).map((byte, place) => (place === 0 ? byte ^ 1 : byte));
        await assert.rejects(crypto.subtle.decrypt(how, derived, altered));
        await assert.rejects(crypto.subtle.exportKey("raw", derived), /extractable/);
    }
});

test("a user file opens with its passphrase alone", async () => {
    const key = await openUserFile(FILE, PASSPHRASE);
    assert.deepEqual([key.userId, key.tenant], ["nurse", "clinic"]);
    assert.equal(key.proxy, /proxy: (.*)\n/.exec(FILE)[1]);
    await refused(openUserFile(FILE, "correct horse battery"), "locked");
    await refused(openUserFile(FILE, ""), "locked");
});

test("an altered user file does not open, whatever was altered", async () => {
    for (const [from, to] of [["user: nurse", "user: clerk"], ["tenant: clinic", "tenant: other"], ["1000", "1001"],
        [/proxy: ./, "proxy: x"], [/key: ./, (found) => `key: ${found.endsWith("A") ? "B" : "A"}`]]) {
        assert.notEqual(FILE.replace(from, to), FILE);
        await refused(openUserFile(FILE.replace(from, to), PASSPHRASE), "locked");
    }
});

test("there is one text for a user file, and one without passphrase is refused", async () => {
    for (const other of [FILE.trim(), FILE + "\n", FILE.replaceAll("\n", "\r\n"), FILE.replace("1000", "01000"), "",
        FILE.replace("1000", "10000001"), FILE.replace(/key: /, "key:  "), FILE.replace(/user: .*\n/, ""), "x".repeat(70000)]) {
        await refused(openUserFile(other, PASSPHRASE), "malformed");
    }
    await refused(openUserFile(FILE.replace(/protection: .*/, "protection: none"), PASSPHRASE), "unprotected");
});

test("a token is made for the pinned proxy's statement, as it stands or with a line end", async () => {
    const key = await openUserFile(FILE, PASSPHRASE);
    for (const statement of [STATEMENT, STATEMENT + "\n"]) {
        const { text, expires, keyExpires } = await key.makeToken(statement, 45);
        assert.deepEqual([expires, keyExpires], [now_s + 45, 1_086_400]);
        assert.match(text, /^pgvt1\.[A-Za-z0-9_-]+$/);
        assert.equal(Buffer.from(text.slice(6), "base64url").readUInt32BE(0), 0xfedcba98);
    }
    const [first, second] = [await key.makeToken(STATEMENT), await key.makeToken(STATEMENT)];
    assert.notEqual(first.text, second.text);
    await assert.rejects(key.makeToken(STATEMENT, 0), RangeError);
    assert(!Object.values(key).some((value) => typeof value === "object"), "nothing secret can be read off a key");
});

test("another signer's, an altered or a differently written statement gets no token", async () => {
    const key = await openUserFile(FILE, PASSPHRASE);
    await key.makeToken(STATEMENT);
    const [header, payload, signature] = STATEMENT.split(".");
    const another = Buffer.from(JSON.stringify(statementOf(keyPair()))).toString("base64url");
    for (const forged of [signed(keyPair(), statementOf(TOKEN_KEY)), `${header}.${another}.${signature}`, `${header}.${payload}.`,
        `${header}.${payload}.${signature.replace(/./, (ch) => (ch === "A" ? "B" : "A"))}`, `${STATEMENT}.`, "", "a.b.c",
        signed(IDENTITY, statementOf(TOKEN_KEY), "pgveil-receipt"), `${header}.${payload}.${signature}=`]) {
        await refused(key.makeToken(forged), "forged");
    }
    const plain = JSON.stringify(statementOf(TOKEN_KEY));
    for (const text of [plain.replace(",", ", "), plain.replace("}", ',"more":1}'), plain.replace("4275878552", "-1"), "[]", "{"]) {
        assert.notEqual(text, plain);
        await refused(key.makeToken(signed(IDENTITY, text)), "malformed");
    }
    await refused(key.makeToken(signed(IDENTITY, statementOf(TOKEN_KEY, { tenant: "other" }))), "foreign");
});

test("a statement counts for its time, and 30 seconds around it", async () => {
    const key = await openUserFile(FILE, PASSPHRASE);
    for (const inForce of [1_000_000 - 30, 1_086_400 + 30]) {
        await at(inForce, () => key.makeToken(STATEMENT));
    }
    for (const outside of [1_000_000 - 31, 1_086_400 + 31]) {
        await at(outside, () => refused(key.makeToken(STATEMENT), "expired"));
    }
});

/** A fetch() that notes what it is asked and answers `status`. */
function recorder(key, more = {}) {
    const seen = { statements: 0, tokens: [], users: [], status: 200 };
    const statement = async () => {
        ++seen.statements;
        return STATEMENT;
    };
    const fetch = async (request) => {
        seen.tokens.push(request.headers.get("Pgveil-User-Share"));
        seen.users.push(request.headers.get("Pgveil-User"));
        assert.equal(request.mode, "same-origin");
        return new Response(null, { status: seen.status });
    };
    return { seen, ask: withShares(key, { statement, fetch, ...more }) };
}

test("requests carry the user and a token, which is renewed when half its time is over", async () => {
    const { seen, ask } = recorder(await openUserFile(FILE, PASSPHRASE));
    const own = { headers: { "Pgveil-User": "clerk", "Pgveil-User-Share": "pgvt1.stolen" } };
    await Promise.all([ask("http://localhost/a"), ask("http://localhost/b", own)]);
    await at(now_s + 29, () => ask("http://localhost/c"));
    assert.deepEqual([new Set(seen.tokens).size, seen.statements, new Set(seen.users)], [1, 1, new Set(["nurse"])]);
    await at(now_s + 30, () => Promise.all([ask("http://localhost/d"), ask("http://localhost/e")]));
    assert.deepEqual([new Set(seen.tokens).size, seen.statements], [2, 1]);
    await at(1_086_400, () => ask("http://localhost/f"));
    assert.equal(seen.statements, 2, "a statement that has ended is fetched again");
});

test("after 401 and after a failure everything is made anew", async () => {
    const key = await openUserFile(FILE, PASSPHRASE);
    const { seen, ask } = recorder(key);
    seen.status = 401;
    await ask("http://localhost/a");
    seen.status = 200;
    await ask("http://localhost/a");
    assert.deepEqual([new Set(seen.tokens).size, seen.statements], [2, 2]);
    let answers = ["a.b.c", STATEMENT];
    const other = recorder(key, { statement: async () => answers.shift() });
    await refused(other.ask("http://localhost/a"), "forged");
    await other.ask("http://localhost/a");
    assert.equal(other.seen.tokens.length, 1, "nothing was sent without a token");
});

test("a user id that no header can carry is refused", async () => {
    const key = await openUserFile(userFile(IDENTITY, PASSPHRASE, { userId: "Žofie" }), PASSPHRASE);
    assert.throws(() => recorder(key), { code: "name" });
});

test("the independent reader of user files finds what was put in", () => {
    assert.deepEqual(partsOf(FILE, PASSPHRASE), [Buffer.alloc(32, 7)]);
});
