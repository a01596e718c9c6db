import { openUserFile, withShares } from "/pgveil/pgveil.js";

const element = (id) => document.getElementById(id);
let ask = null;

async function text(response) {
    if (!response.ok) {
        throw new Error(`${response.status}: ${await response.text()}`);
    }
    return response.text();
}

async function showPatients() {
    const patients = JSON.parse(await text(await ask("/patients")));
    element("patients").replaceChildren(...patients.map(({ name, ward }) => {
        const line = document.createElement("li");
        line.textContent = `${name}, ${ward}`;
        return line;
    }));
    return `${patients.length} patients`;
}

// One thing at a time; what went wrong stands on the page, and then no row does.
async function run(work) {
    element("state").textContent = "working";
    element("patients").replaceChildren();
    try {
        element("state").textContent = await work();
    } catch (error) {
        element("state").textContent = error.message;
    }
}

async function openFile() {
    const passphrase = element("passphrase").value;
    element("passphrase").value = "";
    const key = await openUserFile(await element("file").files[0].text(), passphrase);
    ask = withShares(key, { statement: async () => text(await fetch("/token-key")) });
    element("again").disabled = false;
    return showPatients();
}

element("open").addEventListener("submit", (event) => {
    event.preventDefault();
    run(openFile);
});
element("again").addEventListener("click", () => run(showPatients));
