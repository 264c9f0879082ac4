// SPDX-License-Identifier: Apache-2.0
import { openHead, parseHead, type HeadStatement } from '../../api/head.ts'
import { CLOCK_TOLERANCE_MS } from '../../api/limits.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import { brokenRule } from '../../errors.ts'
import type { PublicJwk } from '../../ports/keys.ts'
import { headKeyAt } from '../../registry/snapshot.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import type { Pins, SeenHead } from '../client.ts'
import type { RememberedRegistry } from '../read/registry-blocks.ts'

/** A head statement as the home answered it. */
export interface ShownHead {
  readonly compact: string
  /** When it was asked for and when it came, by the clock here, in ms since 1970. */
  readonly askedMs: number
  readonly cameMs: number
}

/** The newest heads of a chain that were seen before. */
export interface SeenBefore {
  /** By this process. */
  readonly known: SeenHead | null
  /** By this installation, perhaps in another process. */
  readonly seen: SeenHead | null
}

/** What judging a head statement needs. */
export interface HeadContext {
  readonly pins: Pins
  readonly registry: Pick<RememberedRegistry, 'newest'>
  readonly verifiers: Verifiers
  /** Gives what to throw for two head statements of this home that contradict each other. */
  readonly convict?: (error: unknown, statements: readonly [string, string]) => Promise<unknown>
}

/**
 * Verifies that the home stated it, now, and that it contradicts nothing that was seen. Two blocks at one height
 * contradict each other whatever time they say; one that is lower does so if it is of now, and else may be an old statement that
 * somebody between shows again.
 * @throws AmpereError VERIFICATION_FAILED (rules head, forked, head-time, rolled-back), SIGNATURE_INVALID, JWS_MALFORMED
 */
export async function openShownHead(
  context: HeadContext,
  chain: ChainId,
  shown: ShownHead,
  before: SeenBefore,
): Promise<HeadStatement> {
  const head = await verifyHead(context, chain, shown.compact)
  await refuseContradiction(context, before, head, shown)
  return head
}

/**
 * A home that contradicts itself may hold back its registry, so that nobody can say who signed. By what it showed before
 * its statement counts all the same.
 * @throws AmpereError VERIFICATION_FAILED for a contradiction
 */
export async function refuseByKnownRegistry(
  context: HeadContext,
  chain: ChainId,
  shown: ShownHead,
  before: SeenBefore,
): Promise<void> {
  const head = await verifyHead(context, chain, shown.compact).catch(() => null)
  if (head) await refuseContradiction(context, before, head, shown)
}

/**
 * What is wrong with the time of a head statement that a home made for whoever asked; null when nothing is. With a time of
 * its choice a home could promise to log a block a year later, or deny a head that it stated before without a
 * contradiction.
 */
export function oddHeadTime(
  { time }: Pick<HeadStatement, 'time'>,
  { askedMs, cameMs }: Pick<ShownHead, 'askedMs' | 'cameMs'>,
): string | null {
  const timeMs = timestampMs(time)
  if (timeMs - cameMs > CLOCK_TOLERANCE_MS)
    return `the head statement is of ${seconds(timeMs - cameMs)} s after the time here: one of the clocks is wrong`
  if (askedMs - timeMs > CLOCK_TOLERANCE_MS)
    return `the head statement is of ${seconds(askedMs - timeMs)} s before it was asked for: an old one is shown, or one of the clocks is wrong`
  return null
}

async function verifyHead(context: HeadContext, chain: ChainId, compact: string): Promise<HeadStatement> {
  const key = homeKey(context, compact)
  const head = await openHead(compact, key, context.verifiers)
  if (head.chain !== chain) throw brokenRule('head', 'the head statement is for another chain')
  if (head.origin !== context.pins.origin) throw brokenRule('head', 'the head statement is of another origin')
  // Said of itself it would promise no logging, so that no broken promise could be proved.
  if (head.durability === 'mirrored') throw brokenRule('head', 'the head statement is that of a mirror')
  return head
}

/** The key that the registry gives the deployment at the pinned origin. */
function homeKey(context: HeadContext, compact: string): PublicJwk {
  const { jws } = parseHead(compact)
  const key = headKeyAt(context.registry.newest(), jws.kid, context.pins.origin)
  if (!key)
    throw brokenRule('head', "the head statement is signed by a key that is not this home's, or is revoked")
  return key
}

async function refuseContradiction(
  { convict }: HeadContext,
  { known, seen }: SeenBefore,
  { height, block, time }: HeadStatement,
  shown: ShownHead,
): Promise<void> {
  const contradicts = async (rule: string, detail: string, { statement }: SeenHead) => {
    const error = brokenRule(rule, detail)
    return convict && statement !== undefined ? convict(error, [statement, shown.compact]) : error
  }
  const other = [known, seen].find((before) => before?.height === height && before.block !== block)
  if (other) throw await contradicts('forked', `two blocks are claimed at height ${height}`, other)
  const odd = oddHeadTime({ time }, shown)
  if (odd !== null) throw brokenRule('head-time', odd)
  if (known && height < known.height)
    throw await contradicts('rolled-back', `the home states height ${height} after ${known.height}`, known)
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
