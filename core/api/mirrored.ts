// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { count, deploymentId, digest, timestamp } from '../bytes/schema.ts'
import type { Verifiers } from '../crypto/signature.ts'
import { AmpereError } from '../errors.ts'
import type { Kid } from '../bytes/ids.ts'
import type { PublicJwk } from '../ports/keys.ts'
import { compactJws } from './answers.ts'
import { openHead, parseHead, type HeadStatement } from './head.ts'

/** What a mirror says of a chain, and the head statement of its home on which that rests. */
export const mirroredAnswer = v.object({
  mirrored: v.pipe(
    compactJws,
    v.description(
      'ampere-head+jws of the mirror, durability `mirrored`: it holds the chain up to this block.',
    ),
  ),
  head: v.pipe(
    compactJws,
    v.description('ampere-head+jws of the home of the chain, of the same block, which the mirror was shown.'),
  ),
})
/** A copy that a mirror has of a home. */
export const copyAnswer = v.object({
  deployment: deploymentId,
  origin: v.string(),
  registry: v.pipe(digest, v.description('Id of the registry of that home.')),
  time: v.pipe(
    v.nullable(timestamp),
    v.description('When the last run of the mirror ended, as it says; null before one did.'),
  ),
})

/** What came of the runs of a mirror, for whoever operates it. */
export const copiesAnswer = v.object({
  items: v.array(
    v.object({
      deployment: deploymentId,
      origin: v.string(),
      last: v.pipe(
        v.nullable(v.object({ time: timestamp, chains: count, logSize: count, problems: count })),
        v.description('The last round that copied all chains to their ends; null before there was one.'),
      ),
      failed: v.pipe(
        v.nullable(
          v.object({ since: timestamp, time: timestamp, code: v.string(), rule: v.nullable(v.string()) }),
        ),
        v.description('The runs that failed since one did not; null where the last one did not.'),
      ),
    }),
  ),
})

export type CopiesAnswer = v.InferOutput<typeof copiesAnswer>
export type MirroredAnswer = v.InferOutput<typeof mirroredAnswer>
export type CopyAnswer = v.InferOutput<typeof copyAnswer>

/** Whose statement is whose, and which key a deployment at an origin has; null where none is known. */
export interface MirroredBy {
  readonly mirror: string
  readonly home: string
  readonly keyAt: (kid: Kid, origin: string) => PublicJwk | null
}

/** Both statements, opened. */
export interface OpenedMirrored {
  readonly mirrored: HeadStatement
  readonly head: HeadStatement
}

/**
 * Opens what a mirror says. It counts only with its home's own statement of the same block: a mirror alone could make a
 * home look as if it had forked.
 * @throws AmpereError VERIFICATION_FAILED, rule `mirrored`, and those of `openHead`
 */
export async function openMirrored(
  answer: MirroredAnswer,
  { mirror, home, keyAt }: MirroredBy,
  verifiers: Verifiers,
): Promise<OpenedMirrored> {
  const open = async (compact: string, origin: string) => {
    const key = keyAt(parseHead(compact).jws.kid, origin)
    if (!key) throw failed(`a statement is signed by no key of the deployment at ${origin}`)
    const head = await openHead(compact, key, verifiers)
    if (head.origin !== origin) throw failed('a statement is of another origin')
    return head
  }
  const opened = { mirrored: await open(answer.mirrored, mirror), head: await open(answer.head, home) }
  const { mirrored, head } = opened
  if (mirrored.durability !== 'mirrored' || head.durability === 'mirrored')
    throw failed('the statements are not those of a mirror and a home')
  if (mirrored.chain !== head.chain || mirrored.height !== head.height || mirrored.block !== head.block)
    throw failed('the home did not state this block')
  return opened
}

function failed(detail: string): AmpereError {
  return new AmpereError('VERIFICATION_FAILED', `rule mirrored: ${detail}`)
}
