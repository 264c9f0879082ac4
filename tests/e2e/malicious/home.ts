// SPDX-License-Identifier: Apache-2.0
import { parseHead, signHead, type HeadStatement } from '#core/api/head.ts'
import { logOriginOf } from '#core/api/log.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { decodeLeaf } from '#core/block/leaf.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { memorySeen } from '#tests/deployment.ts'
import type { SeenHeads } from '#core/client/client.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import type { EvidencePins } from '#core/evidence/trust.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { formatVerifierKey, logSigner, type LogSigner } from '#core/log/note/key.ts'
import { formatNote } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { inclusionProof } from '#core/log/proof.ts'
import { decodeBundle } from '#core/log/tile/bundle.ts'
import { bundlePath } from '#core/log/tile/path.ts'
import { formatTlogProof, parseTlogProof } from '#core/log/tlog-proof.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { logKeysOf, witnessedWorld, type WitnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN } from '#tests/deployment.ts'

export const LOG = logOriginOf(ORIGIN)
export const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
export const ENTRY = { header: utf8('{}'), content: utf8('text'), compartment: 'general' }

/** A reader, and the evidence that it kept. */
export interface Reader {
  readonly connection: Connection
  readonly kept: Uint8Array[]
}

/** A home whose operator has its keys and answers as a test says. */
export interface MaliciousHome extends WitnessedWorld {
  readonly record: ChainId
  readonly author: Connection
  /** What a third party knows. */
  readonly pins: EvidencePins
  /** What the home answers; the honest answer where it is null. */
  answer: ((request: Request, next: Fetch) => Promise<Response> | null) | null
  reader(policy?: Policy, seen?: SeenHeads): Reader
  /** Honest receipts of the record's blocks, by height. */
  readonly receipts: readonly string[]
  /** Where its blocks really are in the log, by height: those of one chain are beside each other. */
  readonly places: readonly [number, number, number]
  /** What the log really has. */
  entries(): Promise<readonly Uint8Array[]>
  /** A checkpoint of these entries by the keys of the log. */
  sign(entries: readonly Uint8Array[], signers?: readonly LogSigner[]): Promise<string>
  signers(): Promise<readonly LogSigner[]>
}

/** A record of three blocks, all logged and cosigned, and a home that can do as it likes from then on. */
export async function maliciousHome(institutions?: readonly string[]): Promise<MaliciousHome> {
  const made = await witnessedWorld(['w1'], 1, undefined, institutions)
  const { world, policy, base, clock } = made
  const author = world.connect('hospital-a', { policy })
  const { record } = await createRecord(author, HOME, ['general'])
  await author.append(record, [ENTRY])
  await world.tendLog()
  const logs = (await logKeysOf(base)).map(formatVerifierKey)
  const signers = async () => [
    logSigner(LOG, 'Ed25519', await base.signer('log')),
    logSigner(LOG, 'cosignature-ML-DSA-44', await base.signer('log-quantum')),
  ]
  const { notes } = await author.replica(record)
  const receipts = await Promise.all(
    notes.map(async ({ id, height }) => (await author.api.receipt(record, id, height)) ?? ''),
  )
  const [first = -1, second = -1, third = -1] = receipts.map((text) => parseTlogProof(text).index)
  const home: MaliciousHome = {
    ...made,
    record,
    author,
    pins: { registry: world.registryId, logs },
    receipts,
    places: [first, second, third],
    answer: null,
    signers,
    reader: (own = policy, seen = memorySeen()) => {
      const kept: Uint8Array[] = []
      const { ports } = world.connect('hospital-a', { policy: own, seen })
      const evidence = async (bytes: Uint8Array) => `file ${kept.push(bytes)}`
      const fetch: Fetch = (request) => home.answer?.(request, world.fetch) ?? world.fetch(request)
      return { connection: connect({ ...ports, fetch, evidence }), kept }
    },
    entries: async () => {
      const get = async (path: string) =>
        new Uint8Array(await (await world.fetch(new Request(`${ORIGIN}/log/${path}`))).arrayBuffer())
      const { size } = checkpointIn(new TextDecoder().decode(await get('checkpoint')))
      return decodeBundle(await get(bundlePath({ index: 0, width: size })), size)
    },
    sign: async (entries, by) => {
      const own = by ?? (await signers())
      const [{ key } = { key: null }] = own
      const root = merkleRoot(entries.map(leafHash))
      const checkpoint = { origin: key?.name ?? '', size: entries.length, root, extensions: [] }
      return formatNote(await signCheckpoint(checkpoint, own, Math.floor(clock.now / 1000)))
    },
  }
  return home
}

/** The receipt of the entry at an index. */
export function receiptAt(entries: readonly Uint8Array[], index: number, note: string): string {
  const hashes = inclusionProof(entries.map(leafHash), index)
  return formatTlogProof({
    extra: decodeLeaf(entries[index] ?? new Uint8Array(0)).label,
    index,
    hashes,
    note,
  })
}

/** Answers with other receipts, by height. */
export function givingReceipts(receipts: Readonly<Record<number, string>>): MaliciousHome['answer'] {
  return (request) => {
    const url = new URL(request.url)
    const text = receipts[Number(url.searchParams.get('height') ?? -1)]
    return url.pathname.startsWith('/v1/receipts/') && text !== undefined
      ? Promise.resolve(new Response(text))
      : null
  }
}

/** Answers with another head statement, signed by the home. */
export function stating(
  { base }: MaliciousHome,
  change: (head: HeadStatement) => HeadStatement,
): MaliciousHome['answer'] {
  return (request, next) => (new URL(request.url).pathname.endsWith('/head') ? stated(next(request)) : null)
  async function stated(answered: ReturnType<Fetch>): Promise<Response> {
    const answer = (await (await answered).json()) as { head: string }
    const head = await signHead(change(parseHead(answer.head).head), await base.signer('head'))
    return Response.json({ ...answer, head })
  }
}
