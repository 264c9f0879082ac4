// SPDX-License-Identifier: Apache-2.0
import { toBase64 } from '#core/bytes/base64.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { concat } from '#core/bytes/frame.ts'
import { merkleRoot } from '#core/log/merkle.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { logOf, type TestLog } from './test-log.ts'

/** A request and its status, at a witness that cosigned `size` leaves of the log before; at least one. */
export interface ConformanceCase {
  readonly name: string
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  /** What version 1.0.0 of the specification says, where that is something else. */
  readonly statusOfVersion1?: 409
  readonly ask: (log: TestLog, size: number) => Promise<string | Uint8Array<ArrayBuffer>>
}

const hash = (byte: number) => new Uint8Array(32).fill(byte)
const body = (old: string, hashes: readonly Uint8Array[], note: string) =>
  `old ${old}\n${hashes.map((each) => `${toBase64(each)}\n`).join('')}\n${note}`
const good = (log: TestLog, size: number) => log.request(size, size + 3)
/** A good request with its text changed. */
const changed =
  (change: (text: string, size: number) => string): ConformanceCase['ask'] =>
  async (log, size) =>
    change(await good(log, size), size)
/** A good request with another proof, between sizes whose proof has several hashes. */
const otherProof =
  (change: (proof: readonly Uint8Array[]) => readonly Uint8Array[]): ConformanceCase['ask'] =>
  async (log, size) =>
    body(String(size), change(log.proof(size, 2 * size + 5)), await log.note(2 * size + 5))
/** The log's name with a key that the witness does not know. */
const stranger = async ({ origin }: TestLog) => [await signerOf(origin, 'Ed25519', 0xee)]
/** Changes the first byte of the log's first signature that is not its key ID. */
function spoilSignature(text: string): string {
  const at = text.indexOf(' ', text.lastIndexOf('\n\n') + 4) + 8
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
}

const MALFORMED: readonly ConformanceCase[] = Object.entries({
  'nothing at all': () => '',
  'a request without an old size': (text) => text.slice(text.indexOf('\n') + 1),
  'an old size with a leading zero': (text) => text.replace('old ', 'old 0'),
  'an old size with a sign': (text) => text.replace('old ', 'old +'),
  'an old size after two spaces': (text) => text.replace('old ', 'old  '),
  'an old size that is no number': (text) => text.replace(/old \d+/, 'old x'),
  'an old size beyond 64 bits': (text) => text.replace(/old \d+/, 'old 99999999999999999999'),
  'a request without an empty line': (text) => text.replace('\n\n', '\n'),
  'line ends with a carriage return': (text) => text.replaceAll('\n', '\r\n'),
  'a hash of 31 bytes': (text) => text.replace('\n', `\n${toBase64(new Uint8Array(31))}\n`),
  'a hash in base64url': (text) => text.replace('\n', `\n${'-'.repeat(43)}=\n`),
  'a hash that is not in its one spelling': (text) => text.replace('\n', `\n${'A'.repeat(42)}B=\n`),
  '64 hashes': (text) => text.replace('\n', `\n${`${toBase64(hash(1))}\n`.repeat(64)}`),
  'a request that ends within its last line': (text) => text.slice(0, -1),
  'a checkpoint without a signature': (text) => text.slice(0, text.lastIndexOf('\n\n') + 2),
  'a checkpoint without a root': (text) => text.replace(/\n[^\n]+\n\n\u2014/, '\n\n\u2014'),
  'a checkpoint whose size has a leading zero': (text, size) =>
    text.replace(`\n${size + 3}\n`, `\n0${size + 3}\n`),
  'a checkpoint with an empty origin': (text) => text.replace(/\n\n[^\n]+\n/, '\n\n\n'),
  'a signature line with a hyphen for the dash': (text) => text.replace('\u2014', '-'),
} satisfies Record<string, (text: string, size: number) => string>).map(([name, change]) => ({
  name,
  status: 400,
  ask: changed(change),
}))

/** The table, each row with the requests that tell it from its neighbours. */
export const CONFORMANCE_CASES: readonly ConformanceCase[] = [
  { name: 'a tree that goes on', status: 200, ask: good },
  { name: 'the same tree again, without a proof', status: 200, ask: (log, size) => log.request(size, size) },
  {
    name: 'a tree that a key which nobody knows signed as well',
    status: 200,
    ask: async (log, size) => {
      const other = logOf([await signerOf('other.example/log', 'Ed25519', 0xed)])
      const line = (await other.note(1)).split('\n').find((each) => each.startsWith('\u2014')) ?? ''
      return `${await good(log, size)}${line}\n`
    },
  },
  ...MALFORMED,
  {
    name: 'a request that is not UTF-8',
    status: 400,
    ask: async (log, size) => concat(utf8(await good(log, size)), Uint8Array.of(0xff, 0x0a)),
  },
  {
    name: 'an old size larger than the tree',
    status: 400,
    ask: async (log, size) => body(String(size + 1), [], await log.note(size)),
  },
  {
    name: 'the signature of an unknown key under the name of the log',
    status: 403,
    ask: async (log, size) =>
      body(
        String(size),
        log.proof(size, size + 3),
        await log.note(size + 3, { signers: await stranger(log) }),
      ),
  },
  { name: 'a signature of a known key that does not verify', status: 403, ask: changed(spoilSignature) },
  {
    name: 'a signature of the log over another size',
    status: 403,
    ask: changed((text, size) => text.replace(`\n${size + 3}\n`, `\n${size + 4}\n`)),
  },
  {
    name: 'a bad signature together with a wrong old size: who signs comes first',
    status: 403,
    ask: async (log, size) => spoilSignature(body(String(size + 9), [], await log.note(size))),
  },
  {
    name: 'a log that it does not know',
    status: 404,
    ask: async () => logOf([await signerOf('unknown.example/log', 'Ed25519', 0xec)]).request(0, 1),
  },
  {
    name: 'old size 0 after something was cosigned, which tells the size',
    status: 409,
    ask: (log, size) => log.request(0, size + 3),
  },
  {
    name: 'an old size below what was cosigned',
    status: 409,
    ask: (log, size) => log.request(size - 1, size + 3),
  },
  {
    name: 'an old size above what was cosigned',
    status: 409,
    ask: (log, size) => log.request(size + 1, size + 3),
  },
  {
    name: 'a smaller tree than was cosigned',
    status: 409,
    ask: (log, size) => log.request(size - 1, size - 1),
  },
  {
    name: 'another root at the size that was cosigned',
    status: 422,
    statusOfVersion1: 409,
    ask: async (log, size) => body(String(size), [], await log.note(size, { root: hash(7) })),
  },
  {
    name: 'another tree with the proof of the real one',
    status: 422,
    ask: async (log, size) =>
      body(String(size), log.proof(size, size + 3), await log.note(size + 3, { root: hash(7) })),
  },
  {
    name: 'a fork with a proof of its own',
    status: 422,
    ask: (log, size) => logOf(log.signers, size - 1).request(size, size + 3),
  },
  { name: 'a proof that is missing', status: 422, ask: otherProof(() => []) },
  { name: 'a proof without its last hash', status: 422, ask: otherProof((proof) => proof.slice(0, -1)) },
  { name: 'a proof with one hash more', status: 422, ask: otherProof((proof) => [...proof, hash(7)]) },
  { name: 'a proof in another order', status: 422, ask: otherProof((proof) => proof.toReversed()) },
  {
    name: 'a proof with another hash',
    status: 422,
    ask: otherProof((proof) => [hash(7), ...proof.slice(1)]),
  },
  {
    name: 'the same tree with a proof that has hashes',
    status: 422,
    ask: async (log, size) => body(String(size), [hash(7)], await log.note(size)),
  },
]

/** As above, at a witness that never cosigned anything of the log. */
export const FRESH_CASES: readonly ConformanceCase[] = [
  {
    name: 'a proof from the empty tree',
    status: 422,
    ask: async (log) => body('0', [hash(7)], await log.note(3)),
  },
  {
    name: 'an empty tree with another root',
    status: 422,
    ask: async (log) => {
      const [signer] = log.signers
      const text = `${log.origin}\n0\n${toBase64(hash(7))}\n`
      const made = (await signer?.sign(utf8(text))) ?? new Uint8Array(0)
      const id = new Uint8Array(4)
      new DataView(id.buffer).setUint32(0, signer?.key.id ?? 0)
      return body('0', [], `${text}\n\u2014 ${log.origin} ${toBase64(concat(id, made))}\n`)
    },
  },
  { name: 'an old size that is not 0', status: 409, ask: (log) => log.request(2, 3) },
  {
    name: 'the empty tree',
    status: 200,
    ask: async (log) => body('0', [], await log.note(0, { root: merkleRoot([]) })),
  },
  { name: 'the empty tree again', status: 200, ask: async (log) => body('0', [], await log.note(0)) },
  { name: 'the first tree, without a proof', status: 200, ask: (log) => log.request(0, 5) },
]
