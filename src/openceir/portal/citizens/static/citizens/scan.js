// The camera reads the label: loaded with the check page, asks for nothing until "Scan" is pressed.
//
// Frames are read by the browser's own BarcodeDetector where it has one, else by zxing-wasm, which is fetched then (420 kB).
// A number counts when it has fifteen digits, the last one fits (Luhn), and two frames gave it. No picture leaves the page.

const FORMATS = { native: ['code_128', 'qr_code', 'data_matrix'], zxing: ['Code128', 'QRCode', 'DataMatrix'] };
const ENOUGH = 2; // IMEIs of one phone
const MORE_FRAMES = 12; // after the first number, for the second of a phone with two
const LONGEST_MS = 60_000;

const box = document.querySelector('[data-scan]');
if (box && navigator.mediaDevices && navigator.mediaDevices.getUserMedia) {
  box.hidden = false;
  const scan = new Scan(box);
  box.querySelector('[data-scan-start]').addEventListener('click', () => scan.toggle());
  addEventListener('pagehide', () => scan.stop());
}

/** One camera session at a time: start, look at frames, put what was found into the field. */
function Scan(box) {
  const video = box.querySelector('[data-scan-video]');
  const status = box.querySelector('[data-scan-status]');
  const field = document.querySelector(box.dataset.scanInput || '#id_identifiers');
  let stream = null;

  this.toggle = () => (stream ? this.stop() : this.start());

  this.stop = () => {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = true;
    video.srcObject = null;
  };

  this.start = async () => {
    say('looking');
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 960 } },
      });
      video.srcObject = stream;
      video.hidden = false;
      await video.play();
    } catch {
      this.stop();
      say('denied');
      return;
    }
    let found = [];
    try {
      found = await look(video, () => stream !== null);
    } catch {
      // the reader could not be fetched or the browser runs no wasm: the field and the photo remain
    }
    this.stop();
    if (found.length) {
      put(found);
      say('found');
      field.focus();
    } else {
      say('none');
    }
  };

  function say(which) {
    status.textContent = status.dataset[`text${which[0].toUpperCase()}${which.slice(1)}`] || '';
  }

  function put(found) {
    const there = new Set(field.value.split(/\s+/).filter(Boolean));
    found.forEach((imei) => there.add(imei));
    field.value = [...there].join('\n');
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }
}

/** The numbers that two frames gave, in the order in which they were confirmed. */
async function look(video, goesOn) {
  const read = await reader();
  const seen = new Set();
  const sure = new Set();
  const until = performance.now() + LONGEST_MS;
  let left = MORE_FRAMES;
  while (goesOn() && performance.now() < until && sure.size < ENOUGH && left > 0) {
    const numbers = new Set((await read(video)).flatMap(imeisIn));
    for (const imei of numbers) {
      if (seen.has(imei)) sure.add(imei);
      seen.add(imei);
    }
    if (sure.size) left -= 1;
    await new Promise((next) => requestAnimationFrame(next));
  }
  return [...sure];
}

/** What reads the texts of the codes in a frame. */
async function reader() {
  if ('BarcodeDetector' in window) {
    const known = await BarcodeDetector.getSupportedFormats();
    const formats = FORMATS.native.filter((format) => known.includes(format));
    if (formats.includes('code_128')) {
      const detector = new BarcodeDetector({ formats });
      return async (video) => (await detector.detect(video)).map((code) => code.rawValue);
    }
  }
  const { prepareZXingModule, readBarcodes } = await import('./vendor/zxing-reader.js');
  const wasm = new URL('./vendor/zxing_reader.wasm', import.meta.url).href;
  await prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  return async (video) => {
    if (!video.videoWidth) return [];
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    pen.drawImage(video, 0, 0);
    const frame = pen.getImageData(0, 0, canvas.width, canvas.height);
    const codes = await readBarcodes(frame, { formats: FORMATS.zxing, tryHarder: true, maxNumberOfSymbols: 8 });
    return codes.filter((code) => code.isValid).map((code) => code.text);
  };
}

/** The numbers of fifteen digits in a code's text whose last digit fits. */
function imeisIn(text) {
  return (text.match(/[0-9]+/g) || []).filter((digits) => digits.length === 15 && passesLuhn(digits));
}

function passesLuhn(digits) {
  let total = 0;
  for (let place = 0; place < 15; place += 1) {
    const value = Number(digits[place]) * (place % 2 ? 2 : 1);
    total += value > 9 ? value - 9 : value;
  }
  return total % 10 === 0;
}
