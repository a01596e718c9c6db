// The modules of clients/envelope-page under Node, whose WebCrypto is the same API: files that pgveil-envelope made and files for it,
// damaged files, published vectors, and answers of holders that cheat. page_test.mjs shows the page in a browser, with real custodians.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { Holders } from "./holders.mjs";
import { page } from "./page.mjs";

const { bigEndian, concat, lengthPrefixed, utf8 } = await page("browser/bytes.js");
const { open: openMessage, seal: sealMessage } = await page("browser/hpke.js");
const { keyForNonce } = await page("browser/xaes.js");
const { opened, readHeader, sealed, sealedBody } = await page("envelope-page/src/body.js");
const { isProved, isSigned, parseGroup, partialHolds, pointOf } = await page("envelope-page/src/group.js");
const { bodyKey, makeHeader, parseHeader } = await page("envelope-page/src/header.js");
const { ask } = await page("envelope-page/src/question.js");

const CHUNK = 65536;
const SEALED = CHUNK + 16;
const CONTENT = new Uint8Array(randomBytes(3 * CHUNK + 100));

const hex = (text) => new Uint8Array(Buffer.from(text, "hex"));
const vectors = (name) => JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url)));
const refused = (work, code, says = /./) => assert.rejects(work, (error) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, says);
    return true;
});
const joined = async (parts) => {
    const all = [];
    for await (const part of parts) {
        all.push(part);
    }
    return Buffer.concat(all);
};
const changed = (bytes, at) => bytes.map((byte, place) => (place === at ? byte ^ 1 : byte));

let holders;
before(() => {
    holders = new Holders();
});
after(() => holders.remove());

/** The content of a protected file, by two of the holders' shares. */
async function openedByTwo(blob, names) {
    const header = await readHeader(blob);
    const key = await bodyKey(header, holders.sharedX(header.point, names));
    return joined(opened(blob, header, key));
}

test("C5 files of pgveil-envelope open, by any two holders, whatever their size", async () => {
    for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, CONTENT.length, 40 * CHUNK]) {
        const content = size <= CONTENT.length ? CONTENT.subarray(0, size) : new Uint8Array(randomBytes(size));
        writeFileSync(holders.path("content"), content);
        holders.program("seal", "content", "--key", "key.pub", "--force");
        const blob = await holders.blob("content.pgveil");
        for (const names of [["company", "cloud"], ["auditor", "company"]]) {
            assert.ok(Buffer.from(content).equals(await openedByTwo(blob, names)), `${size} bytes`);
        }
    }
});

test("C6 pgveil-envelope opens what was sealed here, and shows its policy", async () => {
    const policy = { who: ["grey", "audit", "grey"], until: 4_000_000_000, purpose: "yearly audit" };
    for (const size of [0, 1, CHUNK, CONTENT.length]) {
        writeFileSync(holders.path("made.pgveil"), await joined(sealed(new Blob([CONTENT.subarray(0, size)]), holders.publicKey, policy)));
        holders.program("open", "made.pgveil", "--out", "made", "--force", "--holder", "company", "--holder", "cloud", "--as", "grey",
            "--purpose", "yearly audit");
        assert.ok(Buffer.from(CONTENT.subarray(0, size)).equals(readFileSync(holders.path("made"))), `${size} bytes`);
    }
    const shown = holders.program("show", "made.pgveil");
    assert.match(shown, /audit/);
    assert.match(shown, /2096-10-02/);
    assert.throws(() => holders.program("open", "made.pgveil", "--out", "other", "--holder", "company", "--holder", "cloud", "--as", "eve"),
        /its policy does not name/);
});

test("a file that was altered, cut off, reordered or spliced names the chunk", async () => {
    const file = await joined(sealed(new Blob([CONTENT]), holders.publicKey));
    const other = await joined(sealed(new Blob([CONTENT]), holders.publicKey));
    const body = file.length - CONTENT.length - 4 * 16;
    const chunk = (of, number) => of.subarray(body + number * SEALED, body + (number + 1) * SEALED);
    const damaged = (...parts) => openedByTwo(new Blob(parts));
    assert.ok(Buffer.from(CONTENT).equals(await damaged(file)), "the whole file opens");
    for (const [says, parts] of [
        [/chunk 3 \(content from byte 131072\) does not verify: it was altered, moved/, [changed(file, body + 2 * SEALED + 5)]],
        [/cut off behind chunk 2: what follows is missing/, [file.subarray(0, body + 2 * SEALED)]],
        [/chunk 2 \(content from byte 65536\) does not verify: the file was cut off there/, [file.subarray(0, body + SEALED + 9)]],
        [/chunk 2 .* the file was cut off there/, [file.subarray(0, body + SEALED + 20)]],
        [/chunk 1 \(content from byte 0\)/, [file.subarray(0, body)]],
        [/chunk 4 .* does not verify/, [file, "x"]],
        [/chunk 1 /, [file.subarray(0, body), chunk(file, 1), chunk(file, 0), file.subarray(body + 2 * SEALED)]],
        [/chunk 2 /, [file.subarray(0, body), chunk(file, 0), chunk(file, 2), file.subarray(body + 3 * SEALED)]],
        [/chunk 2 /, [file.subarray(0, body), chunk(file, 0), chunk(other, 1), file.subarray(body + 2 * SEALED)]],
    ]) {
        await refused(damaged(...parts), "altered", says);
    }
    const whole = await joined(sealed(new Blob([CONTENT.subarray(0, 2 * CHUNK)]), holders.publicKey));
    await refused(damaged(whole, new Uint8Array(16)), "altered", /goes on behind chunk 2, which is its last/);
});

test("a stream is read only as fast as it is taken, whatever its size", async () => {
    const content = { size: 10 * 2 ** 30, furthest: 0, slice(from, to) {
        content.furthest = Math.max(content.furthest, to);
        return new Blob([new Uint8Array(to - from)]);
    } };
    const parts = sealed(content, holders.publicKey);
    let taken = 0;
    for (let at = 0; at < 4; ++at) {
        taken += (await parts.next()).value.length;
    }
    await parts.return();
    assert.ok(taken > 3 * 2 ** 20 && content.furthest < 12 * 2 ** 20, `${taken} bytes taken, ${content.furthest} read`);
});

test("a header changed in any part is refused", async () => {
    const file = await joined(sealed(new Blob([CONTENT.subarray(0, 10)]), holders.publicKey, { who: ["grey"], purpose: "audit" }));
    const size = file.length - 10 - 16;
    for (const at of [0, 17, 21, 30, 70, 130, 150, size - 100, size - 40]) {
        await refused(openedByTwo(new Blob([changed(file, at)])), "malformed");
    }
    await refused(openedByTwo(new Blob([changed(file, size - 1)])), "foreign");
    await refused(openedByTwo(new Blob([file.subarray(0, size - 1)])), "malformed", /cut off/);
    await refused(openedByTwo(new Blob(["plain text"])), "malformed", /does not start with the title/);
    await refused(openedByTwo(new Blob([])), "malformed");
});

test("a policy that breaks the rules of its fields is not sealed", async () => {
    for (const policy of [{ who: ["Zoë"] }, { who: [""] }, { purpose: "a\nb" }, { until: -1 }, { until: 1.5 },
        { who: Array.from({ length: 65 }, (_, at) => `name ${at}`) }, { purpose: "x".repeat(201) }]) {
        await refused(makeHeader(holders.publicKey, policy), "name");
    }
    await assert.rejects(makeHeader(changed(holders.publicKey, 64)));
});

test("the vector of chapter 9: header, keys and bodies", async () => {
    const vector = vectors("protected-file.json");
    const header = await parseHeader(hex(vector.header));
    assert.deepEqual(header.policy, { who: vector.who, until: vector.until, purpose: vector.purpose });
    const key = await bodyKey(header, hex(vector.shared_x));
    for (const { size, body_sha256 } of vector.bodies) {
        const content = Uint8Array.from({ length: size }, (_, at) => at * 31 % 256);
        const body = await joined(sealedBody(new Blob([content]), header, key));
        assert.equal(createHash("sha256").update(body).digest("hex"), body_sha256);
        assert.ok(Buffer.from(content).equals(await joined(opened(new Blob([header.bytes, body]), header, key))));
    }
});

test("XAES-256-GCM seals as its published vectors say", async () => {
    for (const { key, nonce, aad, plaintext, ciphertext } of vectors("xaes-256-gcm.json").vectors) {
        const imported = await crypto.subtle.importKey("raw", hex(key), "AES-CBC", false, ["encrypt"]);
        const how = { name: "AES-GCM", iv: hex(nonce).slice(12), additionalData: hex(aad) };
        const made = await crypto.subtle.encrypt(how, await keyForNonce(imported, hex(nonce), "encrypt"), hex(plaintext));
        assert.equal(Buffer.from(made).toString("hex"), ciphertext);
    }
});

function privateKey(scalar, point, name) {
    const [x, y, d] = [point.slice(1, 33), point.slice(33), scalar].map((part) => Buffer.from(part).toString("base64url"));
    return crypto.subtle.importKey("jwk", { kty: "EC", crv: "P-256", x, y, d }, { name, namedCurve: "P-256" }, false, ["deriveBits"]);
}

async function pair(scalar, point) {
    return {
        privateKey: await privateKey(scalar, point, "ECDH"),
        publicKey: await crypto.subtle.importKey("raw", point, { name: "ECDH", namedCurve: "P-256" }, true, []) };
}

test("HPKE opens RFC 9180's vectors, and nothing altered", async () => {
    const [{ info, skRm, pkRm, enc, encryptions: [{ aad, pt, ct }] }] =
        vectors("hpke-rfc9180-p256-sha256.json").filter(({ mode, aead_id }) => mode === 0 && aead_id === 2);
    const receiver = await pair(hex(skRm), hex(pkRm));
    const message = hex(enc + ct);
    assert.equal(Buffer.from(await openMessage(receiver, hex(info), message, { aad: hex(aad) })).toString("hex"), pt);
    for (const altered of [changed(message, 0), changed(message, 70), changed(message, message.length - 1), message.slice(0, 80)]) {
        await assert.rejects(openMessage(receiver, hex(info), altered, { aad: hex(aad) }));
    }
    const own = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
    const point = new Uint8Array(await crypto.subtle.exportKey("raw", own.publicKey));
    assert.deepEqual(await openMessage(own, hex(info), await sealMessage(point, hex(info), hex(pt))), hex(pt));
});

test("RFC 9497's proofs hold, and no altered one", () => {
    let checked = 0;
    for (const { pkSm, BlindedElement, EvaluationElement, Proof } of vectors("voprf-rfc9497-p256-sha256.json").vectors) {
        if (BlindedElement.length > 1) {
            continue; // a holder proves one result at a time
        }
        const context = Buffer.concat([Buffer.from("OPRFV1-"), Buffer.from([1]), Buffer.from("-P256-SHA256")]);
        const [key, base, result] = [pkSm, BlindedElement[0], EvaluationElement[0]].map((text) => pointOf(hex(text), 33));
        assert.ok(isProved(context, { key, base, result }, hex(Proof)));
        assert.ok(!isProved(context, { key, base: result, result: base }, hex(Proof)));
        for (const at of [0, 31, 32, 63]) {
            assert.ok(!isProved(context, { key, base, result }, changed(hex(Proof), at)));
        }
        assert.ok(!isProved(context, { key, base, result }, hex(Proof).slice(1)));
        checked += 1;
    }
    assert.equal(checked, 2);
});

async function asked() {
    const vector = vectors("partial-answers.json");
    const group = parseGroup(hex(vector.group));
    const question = await ask(group, hex(vector.point), vector, {
        id: hex(vector.id), replyKey: await pair(hex(vector.reply_private_key), hex(vector.reply_key)) });
    return { vector, group, question, answers: vector.answers.map(({ sealed: bytes }) => hex(bytes)) };
}

test("C7 a question has the bytes that holders read, and any two of their answers open", async () => {
    const { vector, question, answers } = await asked();
    assert.equal(Buffer.from(question.bytes).toString("hex"), vector.request);
    assert.equal(question.id, vector.id);
    const partials = await Promise.all(answers.map((answer, at) => question.opened(at + 1, answer)));
    for (const two of [[0, 1], [1, 0], [0, 2], [2, 1]]) {
        assert.equal(Buffer.from(question.combined(two.map((at) => partials[at]))).toString("hex"), vector.shared_x);
    }
    assert.throws(() => question.combined([partials[0], partials[0]]), /partials of 1 members, and 2 are needed/);
});

test("an answer that is altered, another member's or to another question names the member", async () => {
    const { vector, group, question, answers } = await asked();
    for (const at of [1, 70, 120, answers[0].length - 1]) {
        await refused(question.opened(1, changed(answers[0], at)), "cheating", /^member 1: its answer does not open/);
    }
    await refused(question.opened(2, answers[0]), "cheating", /^member 2/);
    const again = await ask(group, hex(vector.point), vector);
    await refused(again.opened(1, answers[0]), "cheating");
    assert.notEqual(again.id, question.id);
});

test("C7 a partial without a proof, or signed by another, is refused by name", async () => {
    const { vector, group, question, answers } = await asked();
    const replyKey = await pair(hex(vector.reply_private_key), hex(vector.reply_key));
    const info = (index) => lengthPrefixed(utf8("pgveil/1 partial answer"), question.digest, bigEndian(index, 4));
    const plain = await openMessage(replyKey, info(1), answers[0]);
    const sent = async (bytes, index = 1) => question.opened(index, await sealMessage(hex(vector.reply_key), info(index), bytes));
    assert.equal((await sent(plain)).index, 1);
    await refused(sent(changed(plain, 60)), "cheating", /^member 1: its answer is not signed by it/);
    await refused(sent(changed(plain, 120)), "cheating", /^member 1: its answer is not signed by it/);
    await refused(sent(changed(plain, 3)), "cheating", /no partial of its own/);
    await refused(sent(changed(plain, 4)), "cheating", /not signed/);
    await refused(sent(plain.map((byte, at) => (at === 4 ? 9 : byte))), "cheating", /no partial of its own/);
    await refused(sent(plain.slice(1)), "cheating", /does not open/);
    const words = lengthPrefixed(utf8("pgveil/1 participation"), question.digest, bigEndian(1, 4), createHash("sha256").update(plain.subarray(0, 101)).digest());
    assert.ok(isSigned(group.members[0], words, plain.subarray(101)));
    assert.ok(!isSigned(group.members[1], words, plain.subarray(101)));
    assert.ok(!isSigned(group.members[0], changed(words, 3), plain.subarray(101)));
});

test("C7 a member that signs a wrong result is found by its proof, and named", async () => {
    const { group, index, share, sign } = holders.member("cloud");
    const replyKey = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
    const question = await ask(group, holders.publicKey, { requester: "grey", purpose: "open" }, { replyKey });
    const reply = new Uint8Array(await crypto.subtle.exportKey("raw", replyKey.publicKey));
    const info = lengthPrefixed(utf8("pgveil/1 partial answer"), question.digest, bigEndian(index, 4));
    const wrong = pointOf(holders.publicKey, 65).multiply(share + 1n).toBytes(true);
    const partial = concat(bigEndian(index, 4), wrong, new Uint8Array(64).fill(1));
    const words = lengthPrefixed(utf8("pgveil/1 participation"), question.digest, bigEndian(index, 4), createHash("sha256").update(partial).digest());
    const answer = await sealMessage(reply, info, concat(partial, sign(words)));
    await refused(question.opened(index, answer), "cheating", new RegExp(`^member ${index}: the proof of its partial does not hold`));
});

test("a partial's proof is for one member, one point and one question", async () => {
    const { vector, group, question, answers } = await asked();
    const [first, second] = [await question.opened(1, answers[0]), await question.opened(2, answers[1])];
    assert.ok(partialHolds(group, hex(vector.point), question.digest, first));
    for (const other of [{ ...first, value: second.value }, { ...first, proof: second.proof }, { ...first, index: 2 }]) {
        assert.ok(!partialHolds(group, hex(vector.point), question.digest, other));
    }
    assert.ok(!partialHolds(group, group.key, question.digest, first));
    assert.ok(!partialHolds(group, hex(vector.point), changed(question.digest, 0), first));
});

test("C9 an entry of a log that was altered, taken out or put in breaks its chain", async () => {
    const { firstBroken } = await page("envelope-page/src/log.js");
    const entries = [];
    const sizes = (part) => [Buffer.from([0, 0, part.length >> 8, part.length & 255]), part];
    let prev = "A".repeat(43);
    for (let seq = 1; seq <= 3; ++seq) {
        const line = { seq, prev, time: 1900000000 + seq, requester: "grey", purpose: "open" };
        const body = Buffer.from(JSON.stringify(line).slice(0, -1));
        prev = createHash("sha256").update(Buffer.concat(["pgveil/1 custodian log", "company"].flatMap((text) => sizes(Buffer.from(text))).concat(sizes(body))))
            .digest("base64url");
        entries.push({ ...line, hash: prev });
    }
    const altered = entries.map((entry) => (entry.seq === 2 ? { ...entry, requester: "eve" } : entry));
    assert.equal(await firstBroken("company", entries), undefined);
    assert.equal((await firstBroken("cloud", entries)).seq, 1);
    assert.equal((await firstBroken("company", altered)).seq, 2);
    assert.equal((await firstBroken("company", entries.slice(1))).seq, 2);
    assert.equal(await firstBroken("company", entries.slice(1), 1), undefined);
    assert.equal((await firstBroken("company", altered.slice(1), 1)).seq, 2);
    assert.equal((await firstBroken("company", [entries[0], entries[2]])).seq, 3);
    assert.equal((await firstBroken("company", [entries[0], entries[0]])).seq, 1);
});

test("a group in another form is none", () => {
    const bytes = hex(vectors("partial-answers.json").group);
    assert.equal(parseGroup(bytes).threshold, 2);
    for (const altered of [bytes.slice(1), bytes.slice(0, -1), new Uint8Array([...bytes, 0]), changed(bytes, 5), changed(bytes, bytes.length - 1),
        changed(bytes, 80)]) {
        assert.throws(() => parseGroup(altered), { code: "malformed" });
    }
});
