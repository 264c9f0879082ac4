// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../bytes/encoding.ts'
import { timestampMs } from '../bytes/timestamp.ts'
import { isViolation } from '../block/violation.ts'
import type { BlocksAnswer } from '../api/answers.ts'
import { CLOCK_TOLERANCE_MS } from '../api/limits.ts'
import { AmpereError } from '../errors.ts'
import type { Ports } from '../ports/needs.ts'
import { openRegistryBlock } from '../registry/block.ts'
import { applyRegistryBlock } from '../registry/reduce.ts'
import { isRevoked } from '../registry/snapshot.ts'
import { getRecord, proveRecord, type RecordProof, type RegistryState } from '../registry/state.ts'
import { checkRenewal } from './enrolment/early-renewal.ts'
import type { Home } from './home.ts'
import { REGISTRY_PARTITION } from './store/registry.ts'
import { blockPage, heightKey } from './store/rows.ts'

/** What keeping the registry uses. */
export const REGISTRAR_NEEDS = { tables: { registry: 'append' }, objects: {}, keys: {} } as const
export type RegistrarPorts = Ports<typeof REGISTRAR_NEEDS>

/**
 * Adds a registry block that keeps the registry's rules. The insert at its height is the commit;
 * the same block again is success.
 * @throws AmpereError VIOLATION, HEAD_CONFLICT, CLOCK_SKEW, SIGNATURE_INVALID, LIMIT_EXCEEDED, CHAIN_MOVED when the registry has another home
 */
export async function addRegistryBlock(ports: RegistrarPorts, home: Home, compact: string): Promise<string> {
  const history = await home.registry.refresh()
  const opened = await openRegistryBlock(compact, history.keyOf, home.verifiers)
  const { height } = opened.block
  const stored = await ports.tables.registry.get(REGISTRY_PARTITION, heightKey(height))
  if (stored) return sameOrConflict(fromUtf8(stored.value), compact, opened.id, height)
  if (height !== history.height() + 1) {
    throw new AmpereError('HEAD_CONFLICT', `the newest registry block here is ${history.height()}`)
  }
  if (height > 0 && Math.abs(timestampMs(opened.block.time) - ports.now()) > CLOCK_TOLERANCE_MS) {
    throw new AmpereError('CLOCK_SKEW', 'the time of the registry block is too far from the time here')
  }
  // What is shown binds no law, but whoever has a stolen key must not renew it past the statement that stops it.
  if (height > 0 && !isRevoked(history.said(), opened.kid) && isRevoked(history.newest(), opened.kid))
    throw new AmpereError('VIOLATION', 'rule author: a revocation of the signing key was shown here')
  checkRenewal(opened, history.link()?.state ?? null)
  const applied = applyRegistryBlock(history.link(), opened)
  if (height > 0)
    checkRegistryHome(home, history.link()?.state ?? null, isViolation(applied) ? null : applied.state)
  if (isViolation(applied)) throw new AmpereError('VIOLATION', `rule ${applied.rule}: ${applied.detail}`)
  await ports.tables.registry.insert(REGISTRY_PARTITION, heightKey(height), utf8(compact))
  const row = await ports.tables.registry.get(REGISTRY_PARTITION, heightKey(height))
  if (!row) throw new AmpereError('STORE_UNAVAILABLE', 'the registry block is not there after it was stored')
  return sameOrConflict(fromUtf8(row.value), compact, opened.id, height)
}

/**
 * Two homes that both took blocks would fork the registry. The block that moves it to this one is taken here too: where the old
 * home is gone a majority needs nobody's leave, and who has what it took since shows it. @throws AmpereError CHAIN_MOVED
 */
export function checkRegistryHome(
  { deployment }: Pick<Home, 'deployment'>,
  state: RegistryState | null,
  after: RegistryState | null,
): void {
  const rules = state && getRecord(state, 'rules')
  if (!state || rules?.kind !== 'rules' || rules.home === deployment) return
  const next = after && getRecord(after, 'rules')
  if (next?.kind === 'rules' && next.home === deployment) return
  const record = getRecord(state, `deployment/${rules.home}`)
  const origin = record?.kind === 'deployment' ? record.origin : rules.home
  throw new AmpereError('CHAIN_MOVED', `the home of the registry is ${origin}`)
}

/** Registry blocks from a height on. `limit` beyond a page gives a page. */
export async function readRegistryBlocks(
  ports: { readonly tables: Pick<RegistrarPorts['tables'], 'registry'> },
  from: number,
  limit: number,
): Promise<BlocksAnswer> {
  return blockPage(ports.tables.registry, REGISTRY_PARTITION, from, limit)
}

/** Proof of one record, present or absent, at the newest head. @throws AmpereError NOT_FOUND while empty */
export async function readRecordProof(
  home: Home,
  key: string,
): Promise<{ readonly head: { height: number; id: string }; readonly proof: RecordProof }> {
  const history = await home.registry.refresh()
  const link = history.link()
  if (!link) throw new AmpereError('NOT_FOUND', 'the registry is empty')
  return { head: history.newest().head, proof: proveRecord(link.state, key) }
}

function sameOrConflict(stored: string, compact: string, id: string, height: number): string {
  // Signing twice gives two signatures over one signing input; either is the block.
  if (signingInput(stored) === signingInput(compact)) return id
  throw new AmpereError('HEAD_CONFLICT', `registry block ${height} exists`)
}

function signingInput(compact: string): string {
  return compact.slice(0, compact.lastIndexOf('.'))
}
