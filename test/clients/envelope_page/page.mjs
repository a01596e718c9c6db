// The page as it is served: built anew for each run, from the sources and the packages that scripts/packages clients installed.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const SOURCE = join(ROOT, "clients", "envelope-page");
export const PACKAGES = process.env.PGVEIL_PAGE_PACKAGES ?? join(ROOT, "build", "clients", "envelope_page");

/** A folder with the page for these other custodians; gone when the process ends. */
export function built(...custodians) {
    const folder = mkdtempSync(join(tmpdir(), "pgveil-page."));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    execFileSync(process.execPath, [join(SOURCE, "build.js"), "--out", folder, "--packages", PACKAGES,
        ...custodians.flatMap((url) => ["--custodian", url])], { stdio: ["ignore", "inherit", "inherit"], timeout: 60_000 });
    return folder;
}

const MODULES = built();
writeFileSync(join(MODULES, "package.json"), '{ "type": "module" }'); // for Node; browsers go by the server's word

/** A module of it, under Node. @param {string} path */
export function page(path) {
    return import(pathToFileURL(join(MODULES, path)));
}
