// parts.mjs FILE PASSPHRASE_FILE: the parts (TKu) in a .user file as JSON list of hexadecimal texts, for who looks for them.
import { readFileSync } from "node:fs";
import { partsOf } from "./proxy.mjs";

const [file, passphrase] = process.argv.slice(2).map((name) => readFileSync(name, "utf8"));
console.log(JSON.stringify(partsOf(file, passphrase.trimEnd()).map((part) => part.toString("hex"))));
