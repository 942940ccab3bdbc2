// Looks for the counter whose derived key has the prefix that a challenge names (ALTCHA protocol, version 2).
// One file for workers and for the page itself, where there can be no workers. What the browser's own cryptography has
// is used where it is there, which it is not without HTTPS; the rest is plain JavaScript.
"use strict";

(() => {
  // --- SHA-256 (FIPS 180-4), one block at a time, on words of 32 bits.
  const fractions = (count, root) => {
    const found = [];
    for (let n = 2; found.length < count; n++) {
      let prime = true;
      for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
      if (prime) found.push(((n ** (1 / root) % 1) * 2 ** 32) | 0);
    }
    return Int32Array.from(found);
  };
  const INITIAL = fractions(8, 2), ROUNDS = fractions(64, 3), w = new Int32Array(64);

  function compress(state, block) {
    w.set(block);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + (g ^ (e & (f ^ g))) + ROUNDS[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (c & (a ^ b)))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d;
    state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  }

  // The digest of bytes, as words, from a state that `before` bytes have led to.
  function digest(bytes, from = INITIAL, before = 0) {
    const padded = new DataView(new ArrayBuffer((((bytes.length + 8) >> 6) + 1) << 6));
    new Uint8Array(padded.buffer).set(bytes);
    padded.setUint8(bytes.length, 0x80);
    padded.setUint32(padded.byteLength - 4, (before + bytes.length) * 8);
    const state = from.slice(), block = new Int32Array(16);
    for (let at = 0; at < padded.byteLength; at += 64) {
      for (let i = 0; i < 16; i++) block[i] = padded.getInt32(at + 4 * i);
      compress(state, block);
    }
    return state;
  }

  function bytesOf(words) {
    const view = new DataView(new ArrayBuffer(words.length * 4));
    words.forEach((word, i) => view.setInt32(4 * i, word));
    return new Uint8Array(view.buffer);
  }

  function joined(...parts) {
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) { all.set(part, at); at += part.length; }
    return all;
  }

  // --- PBKDF2-HMAC-SHA-256 (RFC 8018; HMAC: RFC 2104). Passwords here are shorter than a block.
  function pbkdf2(password, salt, iterations, length) {
    const pad = (value) => {
      const bytes = new Uint8Array(64).fill(value), view = new DataView(bytes.buffer), state = INITIAL.slice();
      password.forEach((byte, i) => { bytes[i] ^= byte; });
      compress(state, Int32Array.from({ length: 16 }, (_, i) => view.getInt32(4 * i)));
      return state;
    };
    const inner = pad(0x36), outer = pad(0x5c), found = [];
    const block = new Int32Array(16), state = new Int32Array(8);
    block[8] = 1 << 31;
    block[15] = (64 + 32) * 8;
    const once = (from, words) => { block.set(words); state.set(from); compress(state, block); };
    for (let i = 1; found.length * 32 < length; i++) {
      once(outer, digest(joined(salt, bytesOf([i])), inner, 64));
      const sum = state.slice();
      for (let n = 1; n < iterations; n++) {
        once(inner, state);
        once(outer, state);
        for (let j = 0; j < 8; j++) sum[j] ^= state[j];
      }
      found.push(bytesOf(sum));
    }
    return joined(...found).subarray(0, length);
  }

  // --- scrypt (RFC 7914): PBKDF2 around ROMix, which is BlockMix over Salsa20/8.
  const x = new Int32Array(16), before = new Int32Array(16);

  function salsa() {
    before.set(x);
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = x, t = 0;
    for (let round = 0; round < 4; round++) {
      t = a + m; e ^= (t << 7) | (t >>> 25); t = e + a; i ^= (t << 9) | (t >>> 23);
      t = i + e; m ^= (t << 13) | (t >>> 19); t = m + i; a ^= (t << 18) | (t >>> 14);
      t = f + b; j ^= (t << 7) | (t >>> 25); t = j + f; n ^= (t << 9) | (t >>> 23);
      t = n + j; b ^= (t << 13) | (t >>> 19); t = b + n; f ^= (t << 18) | (t >>> 14);
      t = k + g; o ^= (t << 7) | (t >>> 25); t = o + k; c ^= (t << 9) | (t >>> 23);
      t = c + o; g ^= (t << 13) | (t >>> 19); t = g + c; k ^= (t << 18) | (t >>> 14);
      t = p + l; d ^= (t << 7) | (t >>> 25); t = d + p; h ^= (t << 9) | (t >>> 23);
      t = h + d; l ^= (t << 13) | (t >>> 19); t = l + h; p ^= (t << 18) | (t >>> 14);
      t = a + d; b ^= (t << 7) | (t >>> 25); t = b + a; c ^= (t << 9) | (t >>> 23);
      t = c + b; d ^= (t << 13) | (t >>> 19); t = d + c; a ^= (t << 18) | (t >>> 14);
      t = f + e; g ^= (t << 7) | (t >>> 25); t = g + f; h ^= (t << 9) | (t >>> 23);
      t = h + g; e ^= (t << 13) | (t >>> 19); t = e + h; f ^= (t << 18) | (t >>> 14);
      t = k + j; l ^= (t << 7) | (t >>> 25); t = l + k; i ^= (t << 9) | (t >>> 23);
      t = i + l; j ^= (t << 13) | (t >>> 19); t = j + i; k ^= (t << 18) | (t >>> 14);
      t = p + o; m ^= (t << 7) | (t >>> 25); t = m + p; n ^= (t << 9) | (t >>> 23);
      t = n + m; o ^= (t << 13) | (t >>> 19); t = o + n; p ^= (t << 18) | (t >>> 14);
    }
    x[0] = a + before[0]; x[1] = b + before[1]; x[2] = c + before[2]; x[3] = d + before[3];
    x[4] = e + before[4]; x[5] = f + before[5]; x[6] = g + before[6]; x[7] = h + before[7];
    x[8] = i + before[8]; x[9] = j + before[9]; x[10] = k + before[10]; x[11] = l + before[11];
    x[12] = m + before[12]; x[13] = n + before[13]; x[14] = o + before[14]; x[15] = p + before[15];
  }

  function blockMix(from, to, r) {
    for (let i = 0; i < 16; i++) x[i] = from[(2 * r - 1) * 16 + i];
    for (let n = 0; n < 2 * r; n++) {
      for (let i = 0; i < 16; i++) x[i] ^= from[16 * n + i];
      salsa();
      to.set(x, 16 * ((n >> 1) + (n & 1) * r));
    }
  }

  let memory = new Int32Array(0);

  function roMix(block, N, r) {
    const size = 32 * r;
    let now = block.slice(), next = new Int32Array(size);
    if (memory.length !== N * size) memory = new Int32Array(N * size);
    for (let i = 0; i < N; i++) {
      memory.set(now, i * size);
      blockMix(now, next, r);
      [now, next] = [next, now];
    }
    for (let i = 0; i < N; i++) {
      const at = (now[(2 * r - 1) * 16] & (N - 1)) * size;
      for (let j = 0; j < size; j++) now[j] ^= memory[at + j];
      blockMix(now, next, r);
      [now, next] = [next, now];
    }
    block.set(now);
  }

  function scrypt(password, salt, N, r, p, length) {
    const bytes = pbkdf2(password, salt, 1, 128 * r * p), view = new DataView(bytes.buffer);
    const words = Int32Array.from({ length: 32 * r * p }, (_, i) => view.getInt32(4 * i, true));
    for (let i = 0; i < p; i++) roMix(words.subarray(32 * r * i, 32 * r * (i + 1)), N, r);
    words.forEach((word, i) => view.setInt32(4 * i, word, true));
    return pbkdf2(password, bytes, 1, length);
  }

  // --- One try.
  async function native(password, salt, iterations, length) {
    const key = await self.crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
    return new Uint8Array(await self.crypto.subtle.deriveBits(how, key, length * 8));
  }

  function repeated(data, cost, length) {
    for (let i = 0; i < cost; i++) data = bytesOf(digest(data));
    return data.subarray(0, length);
  }

  function derivation({ algorithm, cost, memoryCost, parallelism, keyLength }, salt) {
    if (algorithm === "PBKDF2/SHA-256") {
      return self.crypto && self.crypto.subtle
        ? (password) => native(password, salt, cost, keyLength)
        : (password) => pbkdf2(password, salt, cost, keyLength);
    }
    if (algorithm === "SHA-256") return (password) => repeated(joined(salt, password), cost, keyLength);
    if (algorithm === "SCRYPT") return (password) => scrypt(password, salt, cost, memoryCost, parallelism, keyLength);
    throw new Error(`no algorithm ${algorithm}`);
  }

  const bytesFrom = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
  const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

  // The key, in hexadecimal digits, of the first counter of start, start + step, … below `most` that has the prefix;
  // null where there is none. `report` is told every `slice` milliseconds how many were tried, and others are let run;
  // it returns true to stop.
  async function search({ parameters }, { start, step, most, slice }, report) {
    const nonce = bytesFrom(parameters.nonce), prefix = bytesFrom(parameters.keyPrefix);
    const keyOf = derivation(parameters, bytesFrom(parameters.salt));
    const password = joined(nonce, new Uint8Array(4)), view = new DataView(password.buffer);
    let since = Date.now(), tried = 0;
    for (let counter = start; counter < most; counter += step) {
      view.setUint32(nonce.length, counter);
      const pending = keyOf(password), key = pending instanceof Uint8Array ? pending : await pending;
      tried++;
      if (prefix.every((byte, i) => key[i] === byte)) return hexOf(key);
      if (Date.now() - since >= slice) {
        if (report(tried)) return null;
        tried = 0;
        await new Promise((resume) => { setTimeout(resume, 0); });
        since = Date.now();
      }
    }
    return null;
  }

  self.doorwardSearch = search;

  if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) {
    self.onmessage = async ({ data: { challenge, part } }) => {
      try {
        const key = await search(challenge, part, (tried) => { self.postMessage({ tried }); });
        self.postMessage({ key, ended: true });
      } catch (error) {
        self.postMessage({ error: String(error) });
      }
    };
  }
})();
