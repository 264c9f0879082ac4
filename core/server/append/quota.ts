// SPDX-License-Identifier: Apache-2.0
import { createTurns } from '../../order/turns.ts'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import type { BlockEntries, Grant } from '../../block/block.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { authorOf } from '../../chain/rules/authority.ts'
import { grantOf, type ControlState } from '../../chain/state.ts'
import { AmpereError, isAmpereError, type RateLimit } from '../../errors.ts'
import type { Now } from '../../ports/keys.ts'
import type { WriteTable } from '../../ports/table.ts'
import type { RegistryView } from '../../registry/snapshot.ts'

/** Blocks in one lease: counting costs at most one write per so many appends. */
export const LEASE_BLOCKS = 100
/** Bytes in one lease. */
export const LEASE_BYTES = 64 * 1024 * 1024
/** A lease is at most this part of a day's limit, so that a crash costs a small grant no more than that. */
const LEASES_PER_DAY = 10
/** Leases kept by one process; the one unused for longest goes first, and its rest counts as used. */
const MAX_LEASES = 10_000
/** Objects per lease whose bytes are remembered as counted. */
const MAX_COUNTED = 16
const DAY_MS = 86_400_000

type Limits = NonNullable<Grant['limits']>

/** What an append was counted with, to be settled once its outcome is known; an unknown one stays counted. */
export interface Charge {
  /** 'lost': another block took the height, or this very block was there already, so none was added. */
  settle(outcome: 'committed' | 'lost'): void
}

/** Counts what institutions append against the limits of their grants, per day in UTC. */
export interface Quotas {
  /**
   * Counts one block before anything of it is stored. Costs nothing for a grant without limits. The bytes of an
   * object count once, however often its block has to be signed and sent until it is committed.
   * @throws AmpereError LIMIT_EXCEEDED with the rate limit; STORE_UNAVAILABLE
   */
  charge(chain: ChainId, grant: Grant | null, entries: Sealed): Promise<Charge>
}

type Sealed = Pick<BlockEntries, 'bytes' | 'root'>

interface Lease {
  readonly day: string
  limits: Limits
  blocks: number
  bytes: number
  /** Roots of objects that are counted and not committed yet, oldest first. */
  readonly counted: Set<Digest>
}

interface QuotaPorts {
  readonly tables: { readonly quotas: WriteTable }
  readonly now: Now
}

const FREE: Charge = { settle: () => {} }

/**
 * Quotas of one process. It takes leases by compare and swap and spends them in memory: all processes together
 * never exceed a limit, and what a lease still held when its process ended counts as used.
 */
export function createQuotas(ports: QuotaPorts): Quotas {
  const leases = new Map<string, Lease>()
  // One at a time per grant, so that appends that arrive together share a lease instead of taking one each.
  const inTurn = createTurns()
  return {
    charge: async (chain, grant, { bytes, root }) => {
      const limits = grant?.limits
      if (!grant || !limits) return FREE
      const place = { chain, institution: grant.institution }
      const key = `${chain}/${grant.institution}`
      return inTurn(key, async () => {
        const held = leases.get(key)
        const needed = held?.counted.has(root) === true ? 0 : bytes
        const lease = await leaseFor(ports, held, place, limits, needed)
        lease.blocks -= 1
        lease.bytes -= needed
        lease.counted.add(root)
        forgetOldest(lease.counted, MAX_COUNTED)
        leases.delete(key)
        leases.set(key, lease)
        forgetOldest(leases, MAX_LEASES)
        return {
          settle: (outcome) => {
            if (outcome === 'committed') lease.counted.delete(root)
            else lease.blocks += 1
          },
        }
      })
    },
  }
}

/**
 * The grant that a block is counted against. Control and erase blocks are not counted: whoever may take rights
 * away must be able to. Devices have no grant.
 */
export function countedGrant(parsed: ParsedBlock, state: ControlState, records: RegistryView): Grant | null {
  if (parsed.block.type !== 'record') return null
  const author = authorOf(parsed.kid, state.controllers, records)
  return author?.kind === 'instance' ? grantOf(state, author.institution) : null
}

/** A lease with room for one block of `bytes`: the one at hand, or with more leased from the table. */
async function leaseFor(
  ports: QuotaPorts,
  held: Lease | undefined,
  place: { readonly chain: ChainId; readonly institution: string },
  limits: Limits,
  bytes: number,
): Promise<Lease> {
  const nowMs = ports.now()
  const day = toTimestamp(nowMs).slice(0, 10)
  let lease: Lease = held && stillGood(held, day, limits) ? held : emptyLease(day, limits, held)
  while (lease.blocks < 1 || lease.bytes < bytes) {
    const row = await ports.tables.quotas.get(place.chain, place.institution)
    const used = usedOn(row?.value ?? null, lease.day)
    // What is left of a lease of another day is not carried over.
    if (used.day !== lease.day) lease = emptyLease(used.day, limits, lease)
    const more = {
      blocks: lease.blocks < 1 ? portion(LEASE_BLOCKS, limits.blocksPerDay, 1, used.blocks) : 0,
      bytes:
        lease.bytes < bytes ? portion(LEASE_BYTES, limits.bytesPerDay, bytes - lease.bytes, used.bytes) : 0,
    }
    if (lease.blocks + more.blocks < 1) throw exceeded('blocks', limits.blocksPerDay, 0, nowMs)
    if (lease.bytes + more.bytes < bytes)
      throw exceeded('bytes', limits.bytesPerDay, lease.bytes + more.bytes, nowMs)
    const next = canonicalBytes({
      day: used.day,
      blocks: used.blocks + more.blocks,
      bytes: used.bytes + more.bytes,
    })
    const { chain, institution } = place
    if ((await ports.tables.quotas.swap(chain, institution, row?.version ?? null, next)) === null) continue
    lease.limits = limits
    lease.blocks += more.blocks
    lease.bytes += more.bytes
  }
  return lease
}

/** A lease with nothing left; what was counted before stays counted. */
function emptyLease(day: string, limits: Limits, before: Lease | undefined): Lease {
  return { day, limits, blocks: 0, bytes: 0, counted: before?.counted ?? new Set() }
}

/** A lease is dropped when its day is over, and when the limits were lowered below those it was taken under. */
function stillGood(lease: Lease, day: string, limits: Limits): boolean {
  return (
    lease.day >= day &&
    lease.limits.blocksPerDay <= limits.blocksPerDay &&
    lease.limits.bytesPerDay <= limits.bytesPerDay
  )
}

function portion(full: number, limit: number, needed: number, used: number): number {
  const wanted = Math.max(needed, Math.min(full, Math.ceil(limit / LEASES_PER_DAY)))
  return Math.max(0, Math.min(wanted, limit - used))
}

/**
 * What is leased on `day`. A row of a later day is of a process whose clock is a little ahead: what comes now is
 * counted there, so that no day is counted twice.
 */
function usedOn(value: Uint8Array | null, day: string): { day: string; blocks: number; bytes: number } {
  if (value === null) return { day, blocks: 0, bytes: 0 }
  const row = parseRow(value)
  return row.day >= day ? row : { day, blocks: 0, bytes: 0 }
}

function parseRow(value: Uint8Array): { day: string; blocks: number; bytes: number } {
  try {
    const row = parseCanonical(value) as Record<string, unknown> | null
    const { day, blocks, bytes } = row ?? {}
    if (typeof day !== 'string' || typeof blocks !== 'number' || typeof bytes !== 'number') throw broken()
    return { day, blocks, bytes }
  } catch (error) {
    throw isAmpereError(error, 'STORE_CORRUPT') ? error : broken(error)
  }
}

function broken(cause?: unknown): AmpereError {
  return new AmpereError('STORE_CORRUPT', 'a quota was changed', { cause })
}

function exceeded(what: 'blocks' | 'bytes', quota: number, remaining: number, nowMs: number): AmpereError {
  const rateLimit: RateLimit = {
    policy: what === 'blocks' ? 'grant' : 'grant-bytes',
    unit: what === 'blocks' ? 'requests' : 'content-bytes',
    quota,
    windowSeconds: DAY_MS / 1000,
    remaining,
    resetSeconds: Math.ceil((DAY_MS - (nowMs % DAY_MS)) / 1000),
  }
  const message = `the grant allows ${quota} ${what} per day; the day ends at midnight UTC`
  return new AmpereError('LIMIT_EXCEEDED', message, { rateLimit })
}

function forgetOldest(kept: Map<string, unknown> | Set<string>, limit: number): void {
  const [oldest] = kept.keys()
  if (kept.size > limit && oldest !== undefined) kept.delete(oldest)
}
