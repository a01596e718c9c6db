// token.mjs FILE PASSPHRASE_FILE STATEMENT [SECONDS]: a token made by the module.
import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { openUserFile } from "../../../clients/browser/pgveil.js";

globalThis.crypto ??= webcrypto;
const [file, passphrase, statement, seconds] = process.argv.slice(2);
const key = await openUserFile(readFileSync(file, "utf8"), readFileSync(passphrase, "utf8").trimEnd());
console.log((await key.makeToken(statement, Number(seconds ?? 60))).text);
