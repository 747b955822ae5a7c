// Asks privately from the page: blinds the number here, verifies every proof, looks the answer up in the bucket files.
// The same steps as openceir.asking (Python), against docs/reference/questions.md. No number leaves this page.
import { ristretto255_oprf, ed25519, sha256 } from "/ask/noble-ristretto255.js";

const { voprf } = ristretto255_oprf;
const WORDS = { 1: "blocked", 2: "tracked", 3: "exempt" };
const SENTENCES = {
  "blocked": "Blocked: networks refuse this device. Do not buy it.",
  "tracked": "On record with a warning; it may be blocked on a day to come.",
  "not-listed": "Not listed: nothing restricts this device in these files. That is no permission: a theft may be reported tomorrow.",
};
const utf8 = new TextEncoder();

export class NoAnswer extends Error {}

export function hex(octets) {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text) {
  if (typeof text !== "string" || !/^([0-9a-f]{2})*$/.test(text)) throw new NoAnswer("something that should be hexadecimal is not");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

// The fourteen digits that a question is about; a wrong check digit is a mistyped number and is not asked.
export function subjectOf(text) {
  const digits = text.replace(/[\s\-./]/g, "");
  if (!/^[0-9]{14,16}$/.test(digits)) throw new NoAnswer("An IMEI has 14 to 16 digits.");
  if (digits.length === 15 && digits[14] !== "0" && checkDigit(digits) !== digits[14]) {
    throw new NoAnswer("The last digit does not fit the others: was the number mistyped?");
  }
  return utf8.encode(digits.slice(0, 14));
}

function checkDigit(digits) {
  let sum = 0;
  for (let place = 0; place < 14; place++) {
    const digit = Number(digits[place]) * (1 + (place % 2));
    sum += digit > 9 ? digit - 9 : digit;
  }
  return String((10 - (sum % 10)) % 10);
}

async function get(path, most = 1 << 20) {
  const reply = await fetch(path, { redirect: "error", credentials: "omit", cache: "no-cache" });
  return read(reply, most);
}

async function post(path, body) {
  const reply = await fetch(path, {
    method: "POST", redirect: "error", credentials: "omit",
    headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  return JSON.parse(new TextDecoder().decode(await read(reply, 1 << 20)));
}

async function read(reply, most) {
  const octets = new Uint8Array(await reply.arrayBuffer());
  if (!reply.ok) {
    let detail = `the register answered ${reply.status}`;
    try {
      detail = JSON.parse(new TextDecoder().decode(octets)).detail;
    } catch { /* a refusal without a document keeps its number */ }
    throw new NoAnswer(detail);
  }
  if (octets.length > most) throw new NoAnswer("the answer is longer than any such answer is");
  return octets;
}

function equal(left, right) {
  return left.length === right.length && left.every((octet, place) => octet === right[place]);
}

// A signed document of `kind`; the key that signed it is given back with it.
export function verifyDocument(kind, octets, pinned = null) {
  const envelope = JSON.parse(new TextDecoder().decode(octets));
  const line = envelope.signed_by.split("+");
  const key = Uint8Array.from(atob(line.slice(2).join("+")), (character) => character.charCodeAt(0)).slice(1);
  if (pinned && !equal(pinned, key)) throw new NoAnswer("two documents are signed by different keys");
  if (!ed25519.verify(fromHex(envelope.signature), utf8.encode(`${kind}\n${envelope.signed}`), key)) {
    throw new NoAnswer("a document's signature is false: it was altered");
  }
  const document = JSON.parse(envelope.signed);
  if (document.format !== kind) throw new NoAnswer("a signed document is of another kind");
  return { document, key };
}

function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// RFC 9162 §2.1.3.2, for a tree of 2^bits leaves: every level has a sibling.
export function rootOf(leaf, number, path) {
  return path.reduce((node, sibling, level) => {
    const isRight = Math.floor(number / 2 ** level) % 2 === 1;
    return sha256(concat(Uint8Array.of(1), isRight ? sibling : node, isRight ? node : sibling));
  }, leaf);
}

export function wordIn(output, octets, layer, number) {
  const body = 12 + 9 * layer.count;
  const header = new Uint8Array(12);
  header.set(utf8.encode("OCQB1"));
  const view = new DataView(header.buffer);
  view.setUint8(5, layer.prefix_bits);
  view.setUint32(6, number);
  view.setUint16(10, layer.count);
  if (!equal(octets.slice(0, 12), header) || octets.length !== body + 32 * layer.prefix_bits) {
    throw new NoAnswer("a bucket file is not the one the manifest names");
  }
  const path = Array.from({ length: layer.prefix_bits }, (_, level) => octets.slice(body + 32 * level, body + 32 * level + 32));
  const leaf = sha256(concat(Uint8Array.of(0), octets.slice(0, body)));
  if (!equal(rootOf(leaf, number, path), fromHex(layer.root))) throw new NoAnswer("a bucket file was altered: its proof is false");
  const tail = output.slice(4, 12);
  for (let at = 12; at < body; at += 9) {
    if (equal(octets.slice(at, at + 8), tail)) {
      const word = WORDS[octets[at + 8] ^ output[12]];
      if (!word) throw new NoAnswer("an entry holds a word this page does not know");
      return word;
    }
  }
  return null;
}

async function drawToken(keys) {
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const { blind, blinded } = voprf.blind(nonce);
  const issued = await post("/v1/questions:tokens", { elements: [hex(blinded)] });
  const row = keys.find((one) => one.day === issued.day);
  if (!row) throw new NoAnswer("tokens were issued for a day that is not announced");
  const output = voprf.finalize(nonce, blind, fromHex(issued.elements[0]), blinded, fromHex(row.public_key), fromHex(issued.proof));
  return `${issued.day}.${hex(nonce)}.${hex(output.slice(0, 32))}`;
}

// The answer to one question: { word, asOf }. Throws NoAnswer when nothing can be believed.
export async function ask(text, now = new Date()) {
  const subject = subjectOf(text);
  const { document: manifest, key } = verifyDocument("openceir-questions/1", await get("/questions/manifest.json"));
  if (now >= new Date(manifest.stale_at)) throw new NoAnswer("The files are older than they may be; no answer can be given.");
  const group = manifest.group;
  if (group.threshold !== 1) throw new NoAnswer("The key is shared among members, which this page cannot ask; use openceir ask.");
  const { document: own } = verifyDocument("openceir-question-key-document/1", await get("/v1/questions/key"), key);
  const token = await drawToken(own.token_keys);
  const { blind, blinded } = voprf.blind(subject);
  const reply = await post("/v1/questions:evaluate", { epoch: group.epoch, elements: [hex(blinded)], tokens: [token] });
  const output = voprf.finalize(subject, blind, fromHex(reply.elements[0]), blinded, fromHex(group.public_key), fromHex(reply.proof));
  const asOf = manifest.made_at;
  for (const layer of [...manifest.layers].reverse()) {
    const head = new DataView(output.buffer, output.byteOffset, 4).getUint32(0);
    const number = layer.prefix_bits ? head >>> (32 - layer.prefix_bits) : 0;
    const high = (number >>> 8).toString(16).padStart(4, "0");
    const low = (number & 255).toString(16).padStart(2, "0");
    const word = wordIn(output, await get(`/questions/${layer.tree}/${high}/${low}.bin`), layer, number);
    if (word) return { word: word === "exempt" ? "not-listed" : word, asOf };
  }
  const octets = await get(`/questions/ranges-${manifest.ranges_sha256.slice(0, 32)}.json`, 8 << 20);
  if (hex(sha256(octets)) !== manifest.ranges_sha256) throw new NoAnswer("the file of ranges was altered");
  const digits = new TextDecoder().decode(subject);
  const words = JSON.parse(new TextDecoder().decode(octets)).ranges
    .filter(([first, last]) => first <= digits && digits <= last).map((row) => row[2]);
  return { word: words.includes("blocked") ? "blocked" : words.includes("tracked") ? "tracked" : "not-listed", asOf };
}

function show(word, sentence, detail) {
  const answer = document.getElementById("answer");
  answer.dataset.word = word;
  answer.textContent = sentence;
  document.getElementById("detail").textContent = detail;
}

document.getElementById("form")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const send = document.getElementById("send");
  send.disabled = true;
  show("", "Asking…", "");
  try {
    const { word, asOf } = await ask(document.getElementById("imei").value);
    show(word, SENTENCES[word], `As of ${asOf}. Nobody was told which device you asked about.`);
  } catch (wrong) {
    const said = wrong instanceof NoAnswer ? wrong.message : "what came back could not be verified";
    show("no-answer", "No answer can be given.", said);
  } finally {
    send.disabled = false;
  }
});
