// SPDX-License-Identifier: Apache-2.0
import type { DeploymentId, Kid } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp } from '../../bytes/timestamp.ts'
import { isViolation } from '../../block/violation.ts'
import type { Home } from '../../block/block.ts'
import { openBlock, type KeyOf, type OpenedBlock, type ParsedBlock } from '../../block/open-block.ts'
import { CLOCK_TOLERANCE_MS, REGISTRY_FRESHNESS_MS } from '../../api/limits.ts'
import { applyBlock } from '../../chain/apply-block.ts'
import { deviceKeys } from '../../chain/devices.ts'
import type { ControlState, Link } from '../../chain/state.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import type { RegistryHistory } from '../../registry/history.ts'
import { asOf, isExpired, isRevoked, recordOf, type RegistryView } from '../../registry/snapshot.ts'

/** The head a block is judged against. It was admitted here before, so its signature is not checked again. */
export interface StoredHead {
  readonly parsed: ParsedBlock
  readonly state: ControlState
}

/**
 * Decides whether a block may follow: law first (violations, for ever), then admission (refusals, for now).
 * @throws AmpereError SIGNATURE_INVALID, VIOLATION, CLOCK_SKEW, REGISTRY_STALE, CHAIN_MOVED, BLOCK_REFUSED
 */
export async function admit(
  parsed: ParsedBlock,
  head: StoredHead | null,
  registry: RegistryHistory,
  context: { readonly verifiers: Verifiers; readonly nowMs: number; readonly home: Home },
): Promise<Link> {
  const records = registry.viewAt(parsed.block.registry)
  if (!records)
    throw new AmpereError('REGISTRY_STALE', 'the block names a registry head that is not known here')
  const opened = await openBlock(parsed, keysOf(parsed, head, registry), context.verifiers)
  const parent = head ? { opened: head.parsed as OpenedBlock, state: head.state } : null
  const link = applyBlock(parent, opened, records)
  if (isViolation(link)) throw new AmpereError('VIOLATION', `rule ${link.rule}: ${link.detail}`)
  checkFreshness(parsed, registry, context.nowMs)
  checkHome(parent?.state ?? null, link, registry, context.home)
  checkRevoked(parsed, asOf(registry.newest(), context.nowMs))
  return link
}

function keysOf(parsed: ParsedBlock, head: StoredHead | null, registry: RegistryHistory): KeyOf {
  const devices = deviceKeys([head?.state ?? null, parsed])
  return (kid: Kid) => devices.get(kid) ?? registry.keyOf(kid)
}

function checkFreshness(parsed: ParsedBlock, registry: RegistryHistory, nowMs: number): void {
  const { block } = parsed
  if (Math.abs(timestampMs(block.time) - nowMs) > CLOCK_TOLERANCE_MS) {
    throw new AmpereError('CLOCK_SKEW', `the time here is ${toTimestamp(nowMs)}`)
  }
  const superseded = registry.supersededAt(block.registry.height)
  if (superseded !== null && nowMs - superseded > REGISTRY_FRESHNESS_MS) {
    throw new AmpereError(
      'REGISTRY_STALE',
      'the block names a registry head that was superseded too long ago',
    )
  }
}

/**
 * A home takes the blocks of its own chains, at the origin that it has itself and by the registry. A rehome is taken by the
 * home that it names, and by the one that it leaves: there it is the last block, so that nothing is acknowledged at its height,
 * or after it, that the chain goes on without. A home that the registry left takes nothing else: it learns of no revocation.
 */
function checkHome(before: ControlState | null, link: Link, registry: RegistryHistory, here: Home): void {
  const { deployment, origin } = here
  const { home } = link.state
  const newest = registry.newest()
  const left = link.opened.block.type === 'rehome' ? (before?.home ?? null) : null
  const isHere = (named: Home) => named.deployment === deployment && named.origin === origin
  if (left && isHere(left)) return
  checkNotLeft(registry, deployment)
  if (home.deployment !== deployment) throw movedTo(home.origin)
  if (!isHere(home) || recordOf(newest, 'deployment', deployment)?.origin !== origin)
    throw new AmpereError('BLOCK_REFUSED', 'the chain names another origin than this home has')
}

function checkNotLeft(registry: RegistryHistory, here: DeploymentId): void {
  const homes = registry.homes()
  const home = homes.at(-1)
  if (home === undefined || home === here || !homes.includes(here)) return
  const origin = recordOf(registry.newest(), 'deployment', home)?.origin ?? home
  throw new AmpereError('CHAIN_MOVED', `the registry left this home, which takes nothing any more: ${origin}`)
}

function movedTo(origin: string): AmpereError {
  return new AmpereError('CHAIN_MOVED', `the home of the chain is ${origin}`)
}

function checkRevoked(parsed: ParsedBlock, newest: RegistryView): void {
  const kids = [parsed.kid, ...parsed.approvals.map((approval) => approval.jws.kid)]
  if (kids.some((kid) => isRevoked(newest, kid))) {
    throw new AmpereError('BLOCK_REFUSED', 'a signing key is revoked in the newest registry head')
  }
  if (kids.some((kid) => isExpired(newest, kid)))
    throw new AmpereError('BLOCK_REFUSED', 'a signing key is that of an instance that has expired')
}
