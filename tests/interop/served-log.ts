// SPDX-License-Identifier: Apache-2.0
import { toBase64 } from '#core/bytes/base64.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { logOriginOf } from '#core/api/log.ts'
import { authorize } from '#core/api/request.ts'
import { compactHash, encodeLeaf } from '#core/block/leaf.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { softwareSigner } from '#core/crypto/signature.ts'
import { leafHash } from '#core/log/merkle.ts'
import { formatVerifierKey, logKeyOfJwk, logSigner } from '#core/log/note/key.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { formatNote } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { encodeBundle } from '#core/log/tile/bundle.ts'
import { bundlesBetween, tilesBetween } from '#core/log/tile/extent.ts'
import { EMPTY_EDGE, grow, rootOf } from '#core/log/tile/grow.ts'
import { bundlePath, TILE_WIDTH, tilePath } from '#core/log/tile/path.ts'
import { parseTlogProof } from '#core/log/tlog-proof.ts'
import { listen, type Listening } from '#functions/host/node.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

/** Origin of the log of a test's home. */
export const LOG = logOriginOf(ORIGIN)
const FIRST_PORT = 43_700
const FLIPPED = 0x10

/** A log that is served on this machine. */
export interface ServedLog extends Listening {
  /** With a final slash. */
  readonly url: string
  /** Flips one bit of the byte there, counted from the end where negative, in all answers of this path; null ends it. */
  spoil(path: string | null, at?: number): void
}

/** Serves what a function answers, with a bit changed where that is asked for. */
export async function serveLog(
  fetch: (request: Request) => Promise<Response>,
  prefix: string,
): Promise<ServedLog> {
  let spoiled: { readonly path: string; readonly at: number } | null = null
  const answer = async (request: Request) => {
    const { pathname } = new URL(request.url)
    if (spoiled === null || pathname !== `${prefix}${spoiled.path}`) return fetch(request)
    // Without its headers, so that what is changed is never compressed.
    const given = await fetch(new Request(request.url))
    const bytes = new Uint8Array(await given.arrayBuffer())
    const at = spoiled.at < 0 ? bytes.length + spoiled.at : spoiled.at
    bytes.set([(bytes[at] ?? 0) ^ FLIPPED], at)
    return new Response(bytes, { status: given.status })
  }
  const listening = await listen(answer, FIRST_PORT, true)
  return {
    ...listening,
    url: `http://127.0.0.1:${listening.port}${prefix}`,
    spoil: (path, at = 0) => void (spoiled = path === null ? null : { path, at }),
  }
}

/** A home whose log is served. */
export interface LoggingHome {
  readonly world: TestDeployment
  readonly connection: Connection
  readonly record: ChainId
  readonly log: ServedLog
  /** Verifier keys of both signatures of the log: of Ed25519, of ML-DSA-44. */
  readonly keys: readonly [string, string]
  /** Appends that many blocks and logs them. */
  add(blocks: number): Promise<void>
  checkpoint(): Promise<string>
}

/** Makes a home with one record, and serves it; the keys of its log are the same each time. */
export async function startHome(policy?: Policy): Promise<LoggingHome> {
  const world = await testDeployment(['hospital-a'], policy ? { policy } : {})
  const connection = world.connect('hospital-a')
  const home = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
  const { record } = await createRecord(connection, home, ['general'])
  const log = await serveLog(async (request) => world.fetch(request), '/log/')
  const keyOf = async (type: 'Ed25519' | 'cosignature-ML-DSA-44', signer: 'log' | 'log-quantum') =>
    formatVerifierKey(logKeyOfJwk(LOG, type, (await world.platform.signer(signer)).publicKey))
  return {
    world,
    connection,
    record,
    log,
    keys: [await keyOf('Ed25519', 'log'), await keyOf('cosignature-ML-DSA-44', 'log-quantum')],
    add: async (blocks) => {
      for (let i = 0; i < blocks; i++)
        await connection.append(record, [
          { header: utf8('{}'), content: utf8(String(i)), compartment: 'general' },
        ])
      await world.tendLog()
    },
    checkpoint: async () => (await world.fetch(new Request(`${ORIGIN}/log/checkpoint`))).text(),
  }
}

/** A receipt as the home gives it. */
export interface Receipt {
  readonly proof: string
  /** Of how much it is a receipt. */
  readonly level: string | null
  /** The log entry that it is of, in base64: made of the block, not of the log. */
  readonly entry: string
}

/** Gets the receipt of the record's block at a height. */
export async function getReceipt(home: LoggingHome, height: number): Promise<Receipt> {
  const { world, connection, record } = home
  const [{ items }, { notes }] = [await connection.api.blocks(record, 0), await connection.replica(record)]
  const url = new URL(`${ORIGIN}/v1/receipts/${notes[height]?.id}?chain=${record}&height=${height}`)
  const signer = world.institution('hospital-a').instance
  const ports = { now: () => world.clock.now, random: world.random, signer }
  const authorization = await authorize({ method: 'GET', url, body: new Uint8Array(0) }, ports)
  const answer = await world.fetch(new Request(url, { headers: { authorization } }))
  const proof = await answer.text()
  const label = parseTlogProof(proof).extra ?? new Uint8Array(0)
  const entry = toBase64(encodeLeaf({ label, hash: compactHash(items[height] ?? '') }))
  return { proof, level: answer.headers.get('ampere-receipt'), entry }
}

/** Paths of all tiles and bundles of a log of that size, without its prefix. */
export function pathsOf(size: number): string[] {
  return [...Array.from(tilesBetween(0, size), tilePath), ...Array.from(bundlesBetween(0, size), bundlePath)]
}

/** A log of these entries, signed with a key of its own: as large as no home of a test is. */
export async function serveEntries(entries: readonly Uint8Array[]) {
  const signer = logSigner(LOG, 'Ed25519', await softwareSigner('Ed25519', new Uint8Array(32).fill(1)))
  const { edge, tiles } = grow(EMPTY_EDGE, entries.map(leafHash))
  const { size } = edge
  const files = new Map<string, Uint8Array>(tiles.map(({ id, bytes }) => [tilePath(id), bytes]))
  for (const { index, width } of bundlesBetween(0, size)) {
    const from = index * TILE_WIDTH
    files.set(bundlePath({ index, width }), encodeBundle(entries.slice(from, from + width)))
  }
  const checkpoint = { origin: LOG, size, root: rootOf(edge), extensions: [] }
  files.set('checkpoint', utf8(formatNote(await signCheckpoint(checkpoint, [signer], 1))))
  const log = await serveLog(async (request) => {
    const bytes = files.get(new URL(request.url).pathname.slice(1))
    return bytes ? new Response(bytes as Uint8Array<ArrayBuffer>) : new Response(null, { status: 404 })
  }, '/')
  return { log, key: formatVerifierKey(signer.key), size }
}
