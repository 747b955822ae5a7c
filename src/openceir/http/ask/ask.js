// Asks privately from the page: blinds the number here, verifies every proof, looks the answer up in the bucket files.
// The same steps as openceir.asking (Python), against docs/reference/questions.md. No number leaves this page.
import { ristretto255, ristretto255_oprf, ed25519, sha256 } from "/ask/noble-ristretto255.js";

const { oprf, voprf } = ristretto255_oprf;
const { Point } = ristretto255;
const ORDER = Point.Fn.ORDER;
const MOST_MEMBERS = 100;
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

// The log's head that the files were made from is signed by the log's key, which the manifest names.
export function verifyNote(note, line, size) {
  const end = note.indexOf("\n\n") + 1;
  const [name, , ...rest] = line.split("+");
  const key = octetsOf(rest.join("+")).slice(1);
  const text = utf8.encode(note.slice(0, end));
  const isSigned = note.slice(end + 1).split("\n").some((row) => {
    const [dash, signer, signature] = row.split(" ");
    return dash === "\u2014" && signer === name && ed25519.verify(octetsOf(signature).slice(4), text, key);
  });
  if (end < 1 || !isSigned || note.split("\n")[1] !== String(size)) throw new NoAnswer("the head of the log is not signed by the log");
}

function octetsOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

// What the key's whole secret would have given, from the parts of as many members as it takes (a Map of index and element).
export function combine(parts, at = 0n) {
  const indexes = [...parts.keys()];
  return indexes.reduce((sum, index) => {
    const weight = indexes.filter((other) => other !== index).reduce(
      (product, other) => modulo(product * modulo(at - BigInt(other)) * inverse(BigInt(index - other))), 1n,
    );
    return weight ? sum.add(Point.fromBytes(parts.get(index)).multiply(weight)) : sum;
  }, Point.ZERO).toBytes();
}

function modulo(number) {
  return ((number % ORDER) + ORDER) % ORDER;
}

function inverse(number) {
  return Point.Fn.inv(modulo(number));
}

// All members' keys lie on one polynomial, whose value at 0 is the key of the group: any of them answer alike.
export function verifyGroup(group) {
  const { threshold, members } = group;
  const keys = new Map(members.map((one) => [one.index, fromHex(one.public_key)]));
  const isPossible = Number.isInteger(threshold) && 1 <= threshold && threshold <= members.length && members.length <= MOST_MEMBERS
    && keys.size === members.length && members.every((one) => Number.isInteger(one.index) && one.index > 0);
  if (!isPossible) throw new NoAnswer("the group of keys is none that can be");
  const sorted = [...keys.keys()].sort((left, right) => left - right);
  const base = new Map(sorted.slice(0, threshold).map((index) => [index, keys.get(index)]));
  const fits = equal(combine(base), fromHex(group.public_key))
    && sorted.slice(threshold).every((index) => equal(combine(base, BigInt(index)), keys.get(index)));
  if (!fits) throw new NoAnswer("the members' keys do not belong together");
}

// One member's part, proved with its own key; `pinned` signs the documents of the register that this page is from.
async function partOf(member, epoch, subject, blind, blinded, pinned) {
  const base = member.url.replace(/\/+$/, "");
  const { document: own } = verifyDocument(
    "openceir-question-key-document/1", await get(`${base}/v1/questions/key`), !base || base === location.origin ? pinned : null,
  );
  if (own.index !== member.index) throw new NoAnswer("another member answers at an address than the manifest says");
  const token = await drawToken(own.token_keys, base);
  const reply = await post(`${base}/v1/questions:evaluate`, { epoch, elements: [hex(blinded)], tokens: [token] });
  const element = fromHex(reply.elements[0]);
  voprf.finalize(subject, blind, element, blinded, fromHex(member.public_key), fromHex(reply.proof));  // throws unless proved
  return element;
}

// The output for a subject, from as many members as the key takes; one that is away is passed over when others are there.
async function outputOf(group, subject, pinned) {
  const { blind, blinded } = voprf.blind(subject);
  const parts = new Map();
  const silent = [];
  for (const member of group.members) {
    try {
      parts.set(member.index, await partOf(member, group.epoch, subject, blind, blinded, pinned));
    } catch (wrong) {
      if (group.threshold === group.members.length) throw wrong;
      silent.push(wrong instanceof NoAnswer ? wrong.message : "a member is away, or what it gave could not be verified");
    }
    if (parts.size === group.threshold) return oprf.finalize(subject, blind, combine(parts));
  }
  throw new NoAnswer(`too few of the ${group.threshold} members that are needed gave an answer: ${silent.join("; ")}`);
}

async function drawToken(keys, base) {
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const { blind, blinded } = voprf.blind(nonce);
  const issued = await post(`${base}/v1/questions:tokens`, { elements: [hex(blinded)] });
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
  if (manifest.ledger_size) verifyNote(manifest.checkpoint, manifest.log_key, manifest.ledger_size);
  verifyGroup(manifest.group);
  const output = await outputOf(manifest.group, subject, key);
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
