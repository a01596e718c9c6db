// Where a file's new form goes: a file that the person chose, written as it comes, or, in browsers without that, memory and then a download.
import { PgveilError } from "../../browser/error.js";

const MIB = 2 ** 20;
const BLOB_SIZE = 8 * MIB;
export const MEMORY_LIMIT = 512 * MIB;

/** Whether large files can be written as they come. */
export const isStreaming = typeof globalThis.showSaveFilePicker === "function";

class FileOutput {
    constructor(handle, writable) {
        this.handle = handle;
        this.writable = writable;
    }

    write(bytes) {
        return this.writable.write(bytes);
    }

    close() {
        return this.writable.close();
    }

    /** The file is gone again: the browser writes beside it until close(), and it was empty before. */
    async abort() {
        await this.writable.abort().catch(() => {});
        const isEmpty = await this.handle.getFile().then(({ size }) => size === 0, () => false);
        if (isEmpty) {
            await this.handle.remove?.().catch(() => {});
        }
    }
}

class MemoryOutput {
    constructor(name) {
        this.name = name;
        this.parts = [];
        this.blobs = [];
        this.size = 0;
    }

    // Blobs may lie on disk, arrays not.
    write(bytes) {
        this.parts.push(bytes);
        this.size += bytes.length;
        if (this.size >= BLOB_SIZE) {
            this.blobs.push(new Blob(this.parts));
            [this.parts, this.size] = [[], 0];
        }
    }

    close() {
        save(new Blob([...this.blobs, ...this.parts]), this.name);
        this.abort();
    }

    abort() {
        [this.blobs, this.parts] = [[], []];
    }
}

/** Downloads a blob under a name. @param {Blob} blob @param {string} name */
export function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Asks the person where a file shall go; call it while a click is being handled.
 *
 * @param {string} name
 * @param {number} size how large it will be
 * @returns {Promise<FileOutput | MemoryOutput | null>} null: the person has thought better of it
 */
export async function chooseOutput(name, size) {
    if (!isStreaming) {
        if (size > MEMORY_LIMIT) {
            throw new PgveilError("large", `this browser cannot write a file bit by bit, so the page takes at most ${MEMORY_LIMIT / MIB} MiB ` +
                "here: use a browser based on Chromium, or the program pgveil-envelope");
        }
        return new MemoryOutput(name);
    }
    try {
        const handle = await globalThis.showSaveFilePicker({ suggestedName: name });
        return new FileOutput(handle, await handle.createWritable());
    } catch (error) {
        if (error.name === "AbortError") {
            return null;
        }
        throw new PgveilError("unwritable", `there nothing can be written: ${error.message}`);
    }
}
