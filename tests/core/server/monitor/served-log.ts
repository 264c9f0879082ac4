// SPDX-License-Identifier: Apache-2.0
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import type { Digest } from '#core/bytes/ids.ts'
import { encodeLeaf } from '#core/block/leaf.ts'
import { sha256 } from '#core/crypto/hash.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { formatVerifierKey, type LogSigner } from '#core/log/note/key.ts'
import { signCheckpointText } from '#core/log/note/cosignature.ts'
import { formatNote, withSignatures } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { encodeBundle } from '#core/log/tile/bundle.ts'
import { bundlesBetween, tilesBetween } from '#core/log/tile/extent.ts'
import { bundlePath, TILE_WIDTH, tilePath } from '#core/log/tile/path.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { signerOf, TIME } from '#tests/core/log/signers.ts'

export const LOG_ORIGIN = 'log.example/log'
export const LOG_URL = 'https://log.example/log'

/** The label of a leaf of the test log. */
export function labelAt(index: number): Uint8Array {
  return sha256(utf8(`label ${index}`))
}

/** The same as it is asked for. */
export function askedAt(index: number): Digest {
  return toBase64url(labelAt(index)) as Digest
}

/** The log entry at an index; from `forkAt` on it is another one. */
export function entryAt(index: number, forkAt: number = Number.POSITIVE_INFINITY): Uint8Array {
  const of = index < forkAt ? `block ${index}` : `other ${index}`
  return encodeLeaf({ label: labelAt(index), hash: sha256(utf8(of)) })
}

/** What a log serves, by path, with what a test changes of it. */
export interface ServedLog {
  readonly fetch: Fetch
  readonly policy: Policy
  readonly logKey: string
  /** Paths that were asked for, in order. */
  readonly asked: string[]
  /** Publishes a tree: its entries, and whether the witness cosigns. */
  publish(entries: readonly Uint8Array[], options?: PublishOptions): Promise<string>
  /** Publishes the first entries of the log. */
  grow(size: number, options?: PublishOptions): Promise<string>
  /** Everything that is served. */
  readonly files: Map<string, Uint8Array>
  /** Answers for some path instead of what is served, where it gives something. */
  readonly instead: { answer: ((path: string) => Response | Promise<Response> | null) | null }
}

export interface PublishOptions {
  readonly cosigned?: boolean
  /** POSIX seconds of the cosignature. */
  readonly time?: number
  readonly root?: Uint8Array
  readonly signer?: LogSigner
  readonly forkAt?: number
  /** True serves the files and not the checkpoint. */
  readonly hidden?: boolean
}

/** A log whose keys follow from its name, served from memory, with one witness. */
export async function servedLog(origin = LOG_ORIGIN): Promise<ServedLog> {
  const signer = await signerOf(origin, 'Ed25519', 1)
  const witness = await signerOf('witness.example/w', 'cosignature-Ed25519', 2)
  const files = new Map<string, Uint8Array>()
  const instead: ServedLog['instead'] = { answer: null }
  const asked: string[] = []
  const url = `https://${origin}`
  const logKey = formatVerifierKey(signer.key)
  const publish: ServedLog['publish'] = async (entries, options = {}) => {
    for (const [path, bytes] of filesOf(entries)) files.set(path, bytes)
    const root = options.root ?? merkleRoot(entries.map(leafHash))
    const checkpoint = { origin, size: entries.length, root, extensions: [] }
    const own = options.signer ?? signer
    const signed = await signCheckpoint({ ...checkpoint, origin: own.key.name }, [own], TIME)
    const cosignature = await signCheckpointText(witness, signed.text, options.time ?? TIME)
    const note = formatNote(options.cosigned === false ? signed : withSignatures(signed, [cosignature]))
    if (options.hidden !== true) files.set('checkpoint', utf8(note))
    return note
  }
  return {
    files,
    instead,
    asked,
    logKey,
    policy: parsePolicy(`log ${logKey} ${url}\nwitness w ${formatVerifierKey(witness.key)}\nquorum w\n`),
    publish,
    grow: (size, options = {}) => publish(entriesTo(size, options.forkAt), options),
    fetch: async (request) => {
      const path = request.url.slice(url.length + 1)
      asked.push(path)
      const other = instead.answer?.(path)
      if (other) return other
      const bytes = files.get(path)
      return bytes ? new Response(bytes.slice()) : new Response(null, { status: 404 })
    },
  }
}

/** The first entries of the log. */
export function entriesTo(size: number, forkAt?: number): Uint8Array[] {
  return Array.from({ length: size }, (_, index) => entryAt(index, forkAt))
}

/** Computed from the entries alone, so that it says whether tiles made in steps are right. */
function filesOf(entries: readonly Uint8Array[]): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  for (const id of bundlesBetween(0, entries.length)) {
    const start = id.index * TILE_WIDTH
    files.set(bundlePath(id), encodeBundle(entries.slice(start, start + id.width)))
  }
  let [level, hashes] = [0, entries.map(leafHash) as Uint8Array[]]
  const rows: Uint8Array[][] = []
  for (; hashes.length > 0; level++) {
    rows.push(hashes)
    const full = Math.floor(hashes.length / TILE_WIDTH)
    hashes = Array.from({ length: full }, (_, i) =>
      merkleRoot((rows[level] ?? []).slice(i * TILE_WIDTH, (i + 1) * TILE_WIDTH)),
    )
  }
  for (const id of tilesBetween(0, entries.length)) {
    const start = id.index * TILE_WIDTH
    files.set(tilePath(id), Buffer.concat((rows[id.level] ?? []).slice(start, start + id.width)))
  }
  return files
}
