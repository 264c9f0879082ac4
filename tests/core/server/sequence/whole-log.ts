// SPDX-License-Identifier: Apache-2.0
import { toBase64url, toHex, utf8 } from '#core/bytes/encoding.ts'
import { sha256 } from '#core/crypto/hash.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { logOriginOf } from '#core/api/log.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { parseCheckpoint } from '#core/log/note/checkpoint.ts'
import { verifyCheckpointSignature } from '#core/log/note/cosignature.ts'
import { logKeyOfJwk } from '#core/log/note/key.ts'
import { parseNote } from '#core/log/note/note.ts'
import { decodeBundle } from '#core/log/tile/bundle.ts'
import { bundlesBetween, tilesBetween } from '#core/log/tile/extent.ts'
import { bundlePath, tilePath } from '#core/log/tile/path.ts'
import type { Platform } from '#core/ports/needs.ts'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { ORIGIN } from '#tests/deployment.ts'

const utf8Decoder = new TextDecoder()

/** Everything in a log, read and checked by nothing but its formats; throws for the first thing that is wrong. */
export interface WholeLog {
  readonly size: number
  /** Logged heights of each chain in the order of the log, by what the leaves say. */
  readonly heights: Readonly<Record<string, readonly number[]>>
  readonly note: string
}

/** A chain whose blocks are looked for: its label keys by height. */
export interface Expected {
  readonly chain: string
  readonly compacts: readonly string[]
  readonly labelKeys: readonly Uint8Array[]
}

export async function wholeLog(platform: Platform, chains: readonly Expected[]): Promise<WholeLog> {
  const row = await platform.table('checkpoints').get('log', 'published')
  if (!row) throw new Error('nothing was published')
  const note = utf8Decoder.decode(row.value)
  const { size, root, origin } = await checkedNote(platform, note)
  const log = platform.objects('log')
  const entries: Uint8Array[] = []
  for (const id of bundlesBetween(0, size)) {
    const bytes = await log.fetch(bundlePath(id))
    if (!bytes) throw new Error(`bundle ${id.index} is missing`)
    entries.push(...decodeBundle(bytes, id.width))
  }
  const hashes = entries.map(leafHash)
  if (toHex(merkleRoot(hashes)) !== toHex(root)) throw new Error('the root is not that of the entries')
  for (const id of tilesBetween(0, size)) {
    const tile = await log.fetch(tilePath(id))
    const span = 256 ** id.level
    const wanted = Array.from({ length: id.width }, (_, i) => {
      const from = (id.index * 256 + i) * span
      return toHex(merkleRoot(hashes.slice(from, from + span)))
    })
    if (!tile || toHex(tile) !== wanted.join('')) throw new Error(`tile ${tilePath(id)} is wrong`)
  }
  if (origin !== logOriginOf(ORIGIN)) throw new Error('another origin')
  const labels = entries.map((entry) => toHex(entry.subarray(1, 33)))
  if (new Set(labels).size !== labels.length) throw new Error('a label occurs twice')
  return { size, note, heights: await heightsOf(platform, entries, labels, chains) }
}

async function checkedNote(platform: Platform, text: string) {
  const note = parseNote(text)
  const checkpoint = parseCheckpoint(note.text)
  const verifiers = createVerifiers()
  const keys = [
    logKeyOfJwk(checkpoint.origin, 'Ed25519', (await platform.signer('log')).publicKey),
    logKeyOfJwk(checkpoint.origin, 'cosignature-ML-DSA-44', (await platform.signer('log-quantum')).publicKey),
  ]
  for (const key of keys) {
    const signature = note.signatures.find(({ id }) => id === key.id)
    if (!signature || !(await verifyCheckpointSignature(key, note.text, signature, verifiers)))
      throw new Error(`no good signature by ${key.type}`)
  }
  return checkpoint
}

async function heightsOf(
  platform: Platform,
  entries: readonly Uint8Array[],
  labels: readonly string[],
  chains: readonly Expected[],
): Promise<Record<string, number[]>> {
  const heights: Record<string, number[]> = {}
  const seen = new Set<number>()
  for (const { chain, compacts, labelKeys } of chains) {
    const places: number[] = []
    for (const [height, compact] of compacts.entries()) {
      const at = labels.indexOf(labelOf(labelKeys[height] as Uint8Array, chain, height))
      if (at < 0) continue
      if (toHex((entries[at] as Uint8Array).subarray(33)) !== toHex(sha256(utf8(compact))))
        throw new Error(`the leaf of block ${height} has another hash`)
      if (places.some((place) => place > at)) throw new Error('leaves are out of the order of heights')
      await checkIndex(platform, chain, height, at)
      places.push(at)
      seen.add(at)
      ;(heights[chain] ??= []).push(height)
    }
  }
  if (seen.size !== entries.length) throw new Error(`${entries.length - seen.size} leaves are of no block`)
  return heights
}

async function checkIndex(platform: Platform, chain: string, height: number, index: number): Promise<void> {
  const rows = await platform.table('leaves').range(chain)
  const row = rows
    .map((each) => ({
      from: Number(each.key),
      ...(JSON.parse(utf8Decoder.decode(each.value)) as { count: number; index: number }),
    }))
    .find(({ from, count }) => height >= from && height < from + count)
  if (!row || row.index + height - row.from !== index) throw new Error(`block ${height} is indexed elsewhere`)
}

/** From the text of docs/PROTOCOL.md alone. */
function labelOf(labelKey: Uint8Array, chain: string, height: number): string {
  const id = Buffer.from(chain, 'base64url')
  const at = Buffer.alloc(8)
  at.writeBigUInt64BE(BigInt(height))
  const message = Buffer.concat([Buffer.from('ampere-leaf/v1'), Buffer.from([0]), id, at])
  return toHex(hmac(nobleSha256, labelKey, message))
}

/** What a home holds of its chains and its registry, as the log must have it. */
export async function expectedOf(
  platform: Platform,
  registry: string,
  chains: readonly string[],
): Promise<Expected[]> {
  const registryRows = await platform.table('registry').range('blocks')
  const own = registryRows.map(({ value }) => utf8Decoder.decode(value))
  const key = Buffer.from(registry, 'base64url')
  const all: Expected[] = [{ chain: registry, compacts: own, labelKeys: own.map(() => key) }]
  for (const chain of chains) all.push(await expectedChain(platform, chain))
  return all
}

async function expectedChain(platform: Platform, chain: string): Promise<Expected> {
  const rows = await platform.table('blocks').range(chain)
  const compacts = rows.map(({ value }) => utf8Decoder.decode(value))
  const payloads = compacts.map(
    (compact) =>
      JSON.parse(Buffer.from(compact.split('.')[1] ?? '', 'base64url').toString()) as {
        state: string
        body: { labelKeyHash: string }
      },
  )
  const labelKeys: Uint8Array[] = []
  for (const height of payloads.keys()) {
    const before = payloads[height - 1]
    const hash = before
      ? (
          JSON.parse(
            utf8Decoder.decode((await platform.table('states').get(chain, before.state))?.value),
          ) as { labelKeyHash: string }
        ).labelKeyHash
      : (payloads[0]?.body.labelKeyHash ?? '')
    const row = await platform.table('labels').get(chain, hash)
    if (!row || toBase64url(sha256(row.value)) !== hash) throw new Error('a label key is missing')
    labelKeys.push(row.value)
  }
  return { chain, compacts, labelKeys }
}
