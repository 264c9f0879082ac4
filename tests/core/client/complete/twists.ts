// SPDX-License-Identifier: Apache-2.0
import { signLookup, type LookupAnswer, type LookupStatement } from '#core/api/lookup.ts'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import type { Digest } from '#core/bytes/ids.ts'
import { sha256 } from '#core/crypto/hash.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { logSigner } from '#core/log/note/key.ts'
import { formatNote } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import type { Fetch, Signer } from '#core/ports/keys.ts'
import type { MonitoredWorld } from './monitored-world.ts'

/** Answers as the home that goes on showing today's head of the record, whatever comes after it. */
export function withholding({ world, record }: MonitoredWorld): Fetch {
  let shown: string | null = null
  return async (request) => {
    if (new URL(request.url).pathname !== `/v1/chains/${record}/head`) return world.fetch(request)
    shown ??= await (await world.fetch(request)).text()
    return new Response(shown, { headers: { 'content-type': 'application/json' } })
  }
}

/** Stands in place of a monitor, changing what it answers. */
export function twist(
  made: MonitoredWorld,
  origin: string,
  change: (answer: LookupAnswer) => Promise<object> | object,
): void {
  const { instead } = made
  const real = made.reader().ports.fetch
  instead.set(origin, async (request) => {
    instead.delete(origin)
    const answer = (await (await real(request)).json()) as LookupAnswer
    return Response.json(await change(answer))
  })
}

/** The statement of an answer, changed and signed anew. */
export async function resigned(
  answer: LookupAnswer,
  signer: Signer,
  change: Partial<LookupStatement>,
): Promise<LookupAnswer> {
  const payload = JSON.parse(
    Buffer.from(answer.lookup.split('.')[1] ?? '', 'base64url').toString(),
  ) as LookupStatement
  return { ...answer, lookup: await signLookup({ ...payload, ...change }, signer) }
}

/** The answer of a monitor to which the log shows another tree of the same size, signed by the log's own keys. */
export async function ofOtherTree(
  { base, monitors }: MonitoredWorld,
  monitor: number,
  answer: LookupAnswer,
): Promise<LookupAnswer> {
  const signer = await monitors[monitor]?.platform.signer('head')
  if (!signer) throw new Error('no such monitor')
  const { origin, size } = checkpointIn(answer.checkpoint)
  const root = sha256(utf8('another history'))
  const signers = [
    logSigner(origin, 'Ed25519', await base.signer('log')),
    logSigner(origin, 'cosignature-ML-DSA-44', await base.signer('log-quantum')),
  ]
  const checkpoint = formatNote(await signCheckpoint({ origin, size, root, extensions: [] }, signers, 1))
  return resigned({ ...answer, checkpoint }, signer, { root: toBase64url(root) as Digest })
}
