// node build.js --out DIR [--custodian URL]... [--packages DIR]: the page as a folder for a custodian to serve ("web": {"folder": DIR}).
//
// Copies the page, its modules, and what they use of the packages in node_modules, whose names become paths: a browser finds no packages.
// --packages is where `npm ci` ran, else here.
// --custodian names the other custodians of the group (https://HOST:PORT); the page may talk to them and to the one that serves it only.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HERE = dirname(fileURLToPath(import.meta.url));
const IMPORT = /^((?:import|export)\s[^;]*?from\s+|import\s+)(["'])([^"']+)\2/gm;
const DYNAMIC = /(\bimport\()(["'])([^"']+)\2/g;
const ENTRY = join(HERE, "src", "page.js");

const { values } = parseArgs({ options: {
    out: { type: "string" }, custodian: { type: "string", multiple: true, default: [] }, packages: { type: "string", default: HERE } } });
const PACKAGES = join(resolve(values.packages), "node_modules");
const packages = createRequire(join(PACKAGES, "page.js"));

/** The file that a module means by a name. */
function target(from, name) {
    return name.startsWith(".") ? resolve(dirname(from), name) : packages.resolve(name);
}

/** Where a file lies in the folder that is served. */
function placeOf(file) {
    return file.startsWith(PACKAGES + "/") ? join("packages", relative(PACKAGES, file).replace("@", "")) : relative(dirname(HERE), file);
}

// Comments of packages hold examples with imports.
function withoutComments(text) {
    return text.replace(/\/\*[\s\S]*?\*\//g, "");
}

/** Copies a module and all that it imports; returns which. */
function copyModule(file, out, seen = new Set()) {
    if (seen.has(file)) {
        return seen;
    }
    seen.add(file);
    const isOwn = !placeOf(file).startsWith("packages");
    const source = readFileSync(file, "utf8");
    const place = (name) => {
        const path = relative(dirname(placeOf(file)), placeOf(target(file, name)));
        return path.startsWith(".") ? path : `./${path}`;
    };
    const renamed = (whole, before, quote, name) => {
        copyModule(target(file, name), out, seen);
        return before + quote + place(name) + quote;
    };
    const to = join(out, placeOf(file));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, (isOwn ? source : withoutComments(source)).replace(IMPORT, renamed).replace(DYNAMIC, renamed));
    return seen;
}

function copyLicences(out) {
    for (const name of ["@noble/curves", "@noble/hashes"]) {
        const from = join(PACKAGES, name, "LICENSE");
        if (!existsSync(from)) {
            throw new Error(`${name} is missing: run npm ci first`);
        }
        const to = join(out, placeOf(from));
        mkdirSync(dirname(to), { recursive: true });
        cpSync(from, to);
    }
}

function originOf(text) {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null || url.protocol !== "https:" || url.origin !== text.replace(/\/$/, "")) {
        throw new Error(`--custodian ${text}: a custodian is named by https://HOST:PORT`);
    }
    return url.origin;
}

function page(custodians, modules) {
    const names = custodians.map((origin) => `\n    <meta name="pgveil-custodian" content="${origin}">`).join("");
    // All are fetched at once, rather than each when the one before it was read.
    const links = modules.map((file) => `\n    <link rel="modulepreload" href="${placeOf(file)}">`).join("");
    return readFileSync(join(HERE, "index.html"), "utf8")
        .replace("<!-- modules -->", links.trim())
        .replace("connect-src 'self'", ["connect-src 'self'", ...custodians].join(" "))
        .replace("<!-- custodians -->", names.trim());
}

if (!values.out) {
    console.error("usage: node build.js --out DIR [--custodian https://HOST:PORT]... [--packages DIR]");
    process.exit(2);
}
try {
    const custodians = values.custodian.map(originOf);
    copyLicences(values.out);
    const modules = [...copyModule(ENTRY, values.out)];
    cpSync(join(HERE, "style.css"), join(values.out, "style.css"));
    writeFileSync(join(values.out, "index.html"), page(custodians, modules));
} catch (error) {
    console.error(`build.js: ${error.message}`);
    process.exit(1);
}
