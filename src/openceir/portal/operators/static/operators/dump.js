// Sends a dump in parts. What was sent counts: after a cut, or a new start with the same file, it goes on from there.
const PART_OCTETS = 8 * 1024 * 1024;
const TRIES = 8;

const form = document.querySelector("[data-dump]");
const status = form.querySelector("[data-dump-status]");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function begin(file) {
  const told = new FormData(form);
  told.delete("file");
  told.append("name", file.name);
  told.append("size", file.size);
  told.append("mark", file.lastModified);
  const answer = await fetch(form.dataset.begin, { method: "POST", body: told, redirect: "manual" });
  if (!answer.headers.get("Content-Type")?.startsWith("application/json")) throw new Error("stopped");
  const said = await answer.json();
  if (said.errors) {
    status.textContent = Object.values(said.errors).flat().join(" ");
    return null;
  }
  return said;
}

async function send(file) {
  const dump = await begin(file);
  if (dump === null) return;
  let { offset } = dump;
  let tries = 0;
  while (offset < file.size) {
    status.textContent = `${Math.floor((100 * offset) / file.size)} % ${form.dataset.textSent}`;
    try {
      const answer = await fetch(dump.octets, {
        method: "PATCH",
        body: file.slice(offset, offset + PART_OCTETS),
        headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": offset, "X-CSRFToken": token },
        redirect: "manual",
      });
      const reached = answer.headers.get("Upload-Offset");
      if (reached === null) throw new Error("stopped");
      if (answer.status === 423) throw new Error("stopped");
      offset = Number(reached); // also after 409: there the register says where to go on
      tries = 0;
    } catch (fault) {
      tries += 1;
      if (tries > TRIES || fault.message === "stopped") throw new Error("stopped");
      status.textContent = form.dataset.textCut;
      await wait(500 * 2 ** tries);
      const held = await fetch(dump.octets, { method: "HEAD", redirect: "manual" }).catch(() => null);
      const reached = held?.headers.get("Upload-Offset");
      if (reached) offset = Number(reached);
    }
  }
  window.location.assign(dump.page);
}

form.addEventListener("submit", async (event) => {
  const file = form.querySelector("input[type=file]").files[0];
  if (!file) return; // the server says what is missing
  event.preventDefault();
  const button = form.querySelector("button");
  if (button.disabled) return;
  button.disabled = true;
  try {
    await send(file);
  } catch {
    status.textContent = form.dataset.textStopped;
  } finally {
    button.disabled = false;
  }
});
