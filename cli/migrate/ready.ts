// SPDX-License-Identifier: Apache-2.0
import type { Controllers, Home } from '#core/block/block.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { thumbprint } from '#core/crypto/jwk.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import type { InstitutionRecord } from '#core/registry/records.ts'
import { isMember } from '#core/registry/rules/members.ts'
import { getRecord, recordsIn, type RegistryState } from '#core/registry/state.ts'
import { READER_NEEDS } from '#core/server/read/read-chain.ts'
import { receiptFinder } from '#core/server/read/receipt.ts'
import { SEQUENCE_MS } from '#functions/sequencer/sequencing.ts'
import { rootSigner, type Institution } from '../open/institution.ts'
import type { OpenHome } from '../open/home.ts'
import { refuse } from '../program/refuse.ts'
import { chainsToMove, isAt, storedChains, type Homes, type StoredChain } from './chains.ts'
import type { Controller } from './move-records.ts'
import type { MigrationPlan } from './plan.ts'
import { logAll } from './target-home.ts'

/** A chain that cannot be moved now, because keys that are not here must sign. */
export interface Waiting {
  readonly chain: ChainId
  /** How many controllers must approve. */
  readonly threshold: number
  /** Controllers whose keys are not here: ids of institutions, key ids of devices. */
  readonly missing: readonly string[]
}

/** For how many looks at the log, one each second, a block is waited for that is not witnessed. */
const WITNESS_LOOKS = 60

/**
 * A home learns of a revocation only where the registry is. So the registry goes with its home, or the home stays.
 * @throws AmpereError CONFIGURATION where it is at another home, KEY_UNAVAILABLE where too many members must approve elsewhere
 */
export async function checkRegistry(
  state: RegistryState,
  deployment: string,
  begun: MigrationPlan | null,
  institutions: readonly Institution[],
): Promise<void> {
  const rules = getRecord(state, 'rules')
  const home = rules?.kind === 'rules' ? rules.home : null
  if (home !== null && home === begun?.deployment) return
  if (home !== deployment)
    throw refuse(
      'CONFIGURATION',
      `the registry is at ${home ?? 'no home'}, and not at ${deployment}: a home moves with its registry only, without which it learns of no revocation`,
      'nothing was changed; move the home where the registry is',
    )
  const members = [...recordsIn(state)].filter(
    (record): record is InstitutionRecord =>
      record.kind === 'institution' && isMember(record, toTimestamp(Date.now())),
  )
  const roots = new Set(await Promise.all(institutions.map(async (each) => (await rootSigner(each)).kid)))
  const missing = members
    .filter(({ root }) => !roots.has(thumbprint(root)))
    .map(({ id }) => id)
    .toSorted()
  if (missing.length * 2 < members.length) return
  throw refuse(
    'KEY_UNAVAILABLE',
    `the registry must move with its home, which more than half of its ${members.length} members approve; root keys are not here of ${missing.join(', ')}`,
    'nothing was changed; run it where the key files of more members are (institutions/ID/keys.json)',
  )
}

/**
 * Chains that would stay behind, at a home that no longer has the registry.
 * @throws AmpereError CONFIGURATION for a chain that is at a third home
 */
export async function waitingChains(
  platform: Platform,
  controllers: readonly Pick<Controller, 'institution'>[],
  homes: Homes,
): Promise<readonly Waiting[]> {
  const waiting: Waiting[] = []
  for await (const { chain, state } of chainsToMove(platform, homes)) {
    const { threshold, members } = state.controllers
    const missing = members.filter((member) => !isHere(member, controllers)).map(nameOf)
    if (members.length - missing.length < threshold) waiting.push({ chain, threshold, missing })
  }
  return waiting
}

/** Whether a chain went to the new home, in an earlier run. */
export async function hasMoved(platform: Platform, to: Home): Promise<boolean> {
  for await (const { state } of storedChains(platform)) {
    if (isAt(state, to)) return true
  }
  return false
}

function isHere(
  member: Controllers['members'][number],
  controllers: readonly Pick<Controller, 'institution'>[],
): boolean {
  return (
    member.kind === 'institution' &&
    controllers.some(({ institution }) => institution.id === member.institution)
  )
}

function nameOf(member: Controllers['members'][number]): string {
  return member.kind === 'device' ? member.kid : member.institution
}

/**
 * Waits until the last block of each chain is witnessed, where a policy asks for a quorum: of blocks from before a move there is
 * never a better receipt than the one that is kept then.
 * @throws AmpereError UPSTREAM_FAILED when it takes too long
 */
export async function awaitWitnessed(
  home: Pick<OpenHome, 'platform' | 'tendLog'>,
  policy: Policy | null,
  homes: Homes,
  waits: { readonly wait: (ms: number) => Promise<void>; readonly progress: (witnessed: number) => void },
): Promise<void> {
  await logAll(home)
  if (!policy?.quorum) return
  let left: StoredChain[] = []
  for await (const stored of chainsToMove(home.platform, homes)) left.push(stored)
  const all = left.length
  for (let looks = 1; ; looks++) {
    left = await unwitnessed(home.platform, policy, left)
    waits.progress(all - left.length)
    if (left.length === 0) return
    if (looks === WITNESS_LOOKS)
      throw refuse(
        'UPSTREAM_FAILED',
        `the last block of ${left.length} of ${all} chains is not witnessed as policy.txt asks, chain ${left[0]?.chain ?? ''} among them; nothing was copied or moved`,
        'npx ampere witness status says which witness does not answer; let npx ampere start run until the blocks are witnessed, then the same command again',
      )
    await waits.wait(SEQUENCE_MS)
    await home.tendLog()
  }
}

async function unwitnessed(
  platform: Platform,
  policy: Policy,
  chains: readonly StoredChain[],
): Promise<StoredChain[]> {
  const find = receiptFinder(await select(platform, READER_NEEDS), policy)
  const left: StoredChain[] = []
  for (const stored of chains) {
    if (!(await find(stored.chain, stored.head.block.height, 'witnessed'))) left.push(stored)
  }
  return left
}
