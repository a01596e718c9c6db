// Elements of the page, made without markup: what files and custodians say is text, never HTML.

/** @param {string} tag @param {object} [properties] @param {...(Node|string)} children */
export function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
    return document.getElementById(id);
}

/** @param {number} bytes */
export function sizeText(bytes) {
    const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    const power = Math.min(units.length - 1, bytes < 1024 ? 0 : Math.floor(Math.log2(bytes) / 10));
    return power === 0 ? `${bytes} bytes` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
}

/** Tells people who do not see the page. @param {string} text */
export function say(text) {
    byId("said").textContent = text;
}
