// Finds the number from 0 to `most` for which SHA-256(salt + number) is the challenge. Source: FIPS 180-4.
// Written out here because crypto.subtle is slower for short texts and is missing on pages without HTTPS.
const K = new Uint32Array(64);
const START = new Uint32Array(8);
(() => { // the first 32 bits of the fractional parts of cube and square roots of the first primes
  const isPrime = (n) => { for (let d = 2; d * d <= n; d++) if (n % d === 0) return false; return true; };
  const bits = (x) => ((x - Math.floor(x)) * 2 ** 32) >>> 0;
  for (let n = 2, at = 0; at < 64; n++) {
    if (!isPrime(n)) continue;
    if (at < 8) START[at] = bits(Math.sqrt(n));
    K[at++] = bits(Math.cbrt(n));
  }
})();

const w = new Uint32Array(64);
const turn = (x, by) => (x >>> by) | (x << (32 - by));

function block(state, octets, from) {
  for (let i = 0; i < 16; i++) {
    const at = from + 4 * i;
    w[i] = (octets[at] << 24) | (octets[at + 1] << 16) | (octets[at + 2] << 8) | octets[at + 3];
  }
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15], y = w[i - 2];
    w[i] = (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + w[i - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10)) + w[i - 16];
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const t = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const u = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + t) | 0; d = c; c = b; b = a; a = (t + u) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

function sha256(text) { // of ASCII
  const blocks = ((text.length + 8) >> 6) + 1;
  const octets = new Uint8Array(blocks * 64);
  for (let i = 0; i < text.length; i++) octets[i] = text.charCodeAt(i);
  octets[text.length] = 0x80;
  new DataView(octets.buffer).setUint32(blocks * 64 - 4, text.length * 8);
  const state = START.slice();
  for (let at = 0; at < octets.length; at += 64) block(state, octets, at);
  return state;
}

self.onmessage = ({ data: [salt, challenge, most] }) => {
  const wanted = Uint32Array.from(challenge.match(/.{8}/g), (word) => parseInt(word, 16));
  for (let number = 0; number <= most; number++) {
    const found = sha256(salt + number);
    if (found[0] === wanted[0] && found.every((word, i) => word === wanted[i])) {
      self.postMessage(number);
      return;
    }
  }
  self.postMessage(null);
};
