// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { isViolation } from '../../block/violation.ts'
import { AmpereError, brokenRule, isAmpereError, ruleIn } from '../../errors.ts'
import { openRegistryBlock } from '../../registry/block.ts'
import { applyRegistryBlock, type RegistryLink } from '../../registry/reduce.ts'
import { getRecord } from '../../registry/state.ts'
import type { Home } from '../home.ts'
import { REGISTRY_PARTITION, type HeldRegistry } from '../store/registry.ts'
import { heightKey } from '../store/rows.ts'
import { overdueRevocations } from '../store/shown.ts'
import { findParting, idOf, withheld } from './fork.ts'
import type { FollowBounds, FollowPorts } from './needs.ts'
import { askingAt, registryHomeIn, type AskForBlocks } from './registry-home.ts'
import { keepFork, noteContact, readContact, readFork } from './rows.ts'

/** What came of a run. */
export interface FollowReport {
  /** `home`: the registry is at home here; `forked`: it was shown with two histories, and is followed no more. */
  readonly outcome: 'home' | 'followed' | 'forked'
  readonly added: number
  /** True when there is more already. */
  readonly more: boolean
  /** Revocations that were shown here and that the registry owes. */
  readonly overdue: number
}

type Followed = Omit<FollowReport, 'overdue'>

/**
 * Brings the registry of this home up to date from where it is at home. A block is stored once it is verified, and what is stored is
 * logged by the sequencer as every block is. Two runs at once, or one that ended anywhere, harm nothing: a block has one place.
 * @param at where to ask instead of where the registry says that it is at home: it may have moved from a home that is gone
 * @throws AmpereError UPSTREAM_FAILED, VERIFICATION_FAILED and others for what the registry's home showed, all kept as the reason
 *   why it was not seen; STORE_UNAVAILABLE, STORE_FULL
 */
export async function followRegistry(
  ports: FollowPorts,
  home: Home,
  bounds: FollowBounds,
  at: string | null = null,
): Promise<FollowReport> {
  const held = await home.registry.refresh()
  const source = registryHomeIn(held.said())
  const counted = (followed: Followed): FollowReport => ({
    ...followed,
    overdue: countOverdue(held, ports.now()),
  })
  if (source.deployment === home.deployment) return counted({ outcome: 'home', added: 0, more: false })
  if (await readFork(ports)) return counted({ outcome: 'forked', added: 0, more: false })
  const beganMs = ports.now()
  const origin = at ?? source.origin
  try {
    const ask = askingAt(ports.fetch, origin, bounds.deadline)
    const report = await follow({ ports, home, ask, origin, untilMs: beganMs + bounds.maxMs }, held, bounds)
    const isAll = report.outcome === 'followed' && !report.more
    // Where the registry moved meanwhile, or who was asked is not its home, what is missing is seen there.
    if (isAll && (await isHomeAt(home, origin)))
      await noteContact(ports, { v: 1, seen: toTimestamp(beganMs), failed: null })
    return counted(report)
  } catch (error) {
    await noteFailure(ports, beganMs, error)
    throw error
  }
}

/** Of how many revocations that were shown here the registry, as it was read last, owes a block. */
export function countOverdue(held: HeldRegistry, nowMs: number): number {
  return overdueRevocations(held.shown(), held.said(), nowMs).length
}

async function isHomeAt(home: Home, origin: string): Promise<boolean> {
  return registryHomeIn((await home.registry.refresh()).said()).origin === origin
}

interface Run {
  readonly ports: FollowPorts
  readonly home: Home
  readonly ask: AskForBlocks
  readonly origin: string
  readonly untilMs: number
}

/** Begins with the newest block that is known, so that what follows it follows what is here. */
async function follow(run: Run, held: HeldRegistry, { maxBlocks }: FollowBounds): Promise<Followed> {
  let link = held.link()
  if (!link) throw new AmpereError('NOT_FOUND', 'the registry is empty')
  let page = await run.ask(link.place.height)
  const [known] = page.items
  if (known === undefined) throw withheld()
  if (idOf(known) !== link.place.id) return stopAtFork(run, link.place.height)
  let items: readonly string[] = page.items.slice(1)
  for (let added = 0; ;) {
    for (const compact of items) {
      if (added >= maxBlocks) return { outcome: 'followed', added, more: true }
      const next = await addBlock(run, link, compact)
      if (next === null) return stopAtFork(run, link.place.height + 1)
      link = next
      added += 1
    }
    if (page.next === null) return { outcome: 'followed', added, more: false }
    if (run.ports.now() >= run.untilMs) return { outcome: 'followed', added, more: true }
    page = await run.ask(link.place.height + 1)
    // A page without any could be followed by the same for ever.
    if (page.items.length === 0 && page.next !== null) throw withheld()
    items = page.items
  }
}

/** Verifies a block as the next one and stores it. @returns null where another one is stored at its height */
async function addBlock(
  { ports, home }: Run,
  link: RegistryLink,
  compact: string,
): Promise<RegistryLink | null> {
  const keyOf = (kid: string) => {
    const record = getRecord(link.state, `key/${kid}`)
    return record?.kind === 'key' ? record.jwk : null
  }
  const opened = await openRegistryBlock(compact, keyOf, home.verifiers)
  const applied = applyRegistryBlock(link, opened)
  if (isViolation(applied)) throw brokenRule(applied.rule, `the next registry block: ${applied.detail}`)
  const { registry } = ports.tables
  const key = heightKey(applied.place.height)
  await registry.insert(REGISTRY_PARTITION, key, utf8(compact))
  const row = await registry.get(REGISTRY_PARTITION, key)
  if (!row) throw new AmpereError('STORE_UNAVAILABLE', 'the registry block is not there after it was stored')
  return idOf(fromUtf8(row.value)) === opened.id ? applied : null
}

/** Both histories are kept, and neither is gone on with: which one others see is not for one home to choose. */
async function stopAtFork(run: Run, height: number): Promise<Followed> {
  const { ports, home, ask, origin } = run
  const parting = await findParting(ports.tables.registry, home, height, ask)
  await keepFork(ports, {
    v: 1,
    at: toTimestamp(ports.now()),
    origin,
    height: parting.height,
    blocks: [parting.own, parting.other],
  })
  return { outcome: 'forked', added: 0, more: false }
}

/** Keeps why the registry's home was not seen, for whoever asks; the error that ended the run is the one to tell. */
async function noteFailure(ports: FollowPorts, beganMs: number, error: unknown): Promise<void> {
  const time = toTimestamp(beganMs)
  const [code, rule] = isAmpereError(error) ? [error.code, ruleIn(error)] : ['UNEXPECTED', null]
  try {
    const before = await readContact(ports)
    const since = before?.failed?.since ?? time
    await noteContact(ports, { v: 1, seen: before?.seen ?? null, failed: { since, time, code, rule } })
  } catch (failure) {
    if (!isAmpereError(failure)) throw failure
  }
}
