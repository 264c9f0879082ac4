// SPDX-License-Identifier: Apache-2.0
import { CHAIN_CHARACTERS } from '#core/server/store/attempt.ts'
import type { Limits, Profile } from './limits.ts'
import { RateServer, Slots } from './servers.ts'
import type { Tally } from './tally.ts'

/** Marks lie in so many partitions. */
export const SHARDS = CHAIN_CHARACTERS.length

/** Tables with a partition that every append or every run uses; those of all others are of one chain each. */
const ONE_PARTITION: readonly string[] = ['registry', 'checkpoints']

/** A port call that is charged to what limits it. */
export interface Charged {
  readonly name: string
  /** Units that the service counts for one call. */
  readonly units: number
  readonly latencyMs: number
}

/** Says when `count` calls that are asked for at once are done; `shard` where they are of one partition of marks. */
export type Call = (atMs: number, count?: number, shard?: number | null) => number

/** What a tally costs at a service, call by call. */
export function chargesOf(
  tally: Tally,
  { billing, latencies }: Profile,
): readonly (Charged & { readonly calls: number })[] {
  return Object.entries(tally).flatMap(([name, { calls, bytes }]) => {
    if (calls === 0) return []
    const size = bytes / calls
    const [kind, , act] = name.split('.')
    const latencyMs =
      kind === 'table'
        ? latencies.table
        : kind === 'key'
          ? latencies.key
          : latencies[act === 'fetch' ? 'objectRead' : 'objectWrite']
    const units =
      kind !== 'table'
        ? 1
        : act === 'get'
          ? billing.read(size)
          : act === 'range'
            ? billing.query(size)
            : billing.write(size)
    return [{ name, calls, units, latencyMs }]
  })
}

function isReading(name: string): boolean {
  return /\.(get|range|fetch)$/.test(name)
}

/** Everything of a home that can be too busy, by a name for people. */
export class Resources {
  readonly slots: Slots
  readonly #servers = new Map<string, RateServer>()
  readonly #limits: Limits
  readonly #isShared: boolean

  constructor({ limits, billing }: Profile) {
    this.#limits = limits
    this.#isShared = billing.isShared
    this.slots = new Slots(limits.concurrency.value)
  }

  /** When a request that comes at `atMs` is let in. */
  request(atMs: number): number {
    return this.#server('requests', this.#limits.requests.value).serve(atMs, 1)
  }

  /**
   * A call with what limits it, so that it can be made very often. Those of the sequencer, which are few, are counted and do not
   * wait for those of writers, which a service would refuse before them as often; for marks they wait for each other.
   */
  prepare(charged: Charged, isSequencer = false): Call {
    const { name, units, latencyMs } = charged
    const servers = this.#serversOf(name)
    const shards = name.startsWith('table.dirty.') ? this.#shards(name) : null
    return (atMs, count = 1, shard = null) => {
      let done = atMs
      for (const server of servers) {
        const served = server.serve(atMs, units * count)
        if (!isSequencer) done = Math.max(done, served)
      }
      const own = shard === null ? undefined : shards?.[shard]
      if (own) done = Math.max(done, own.serve(atMs, units * count))
      return done + latencyMs
    }
  }

  #serversOf(name: string): readonly RateServer[] {
    const [kind, of = ''] = name.split('.')
    if (kind === 'key') return []
    const isRead = isReading(name)
    if (kind === 'objects') {
      const limit = this.#limits[isRead ? 'objectReads' : 'objectWrites'].value
      return [this.#server(`objects ${of}, ${isRead ? 'reads' : 'writes'}`, limit)]
    }
    const table = this.#limits[isRead ? 'tableReads' : 'tableWrites'].value
    const servers = [this.#server(`table ${of}, ${this.#side(isRead)}`, table)]
    if (ONE_PARTITION.includes(of))
      servers.push(this.#server(`the one partition of ${of}, ${this.#side(isRead)}`, this.#partition(isRead)))
    return servers
  }

  #shards(name: string): readonly RateServer[] {
    const isRead = isReading(name)
    const named = (shard: number) => `partition of marks ${shard}, ${this.#side(isRead)}`
    return Array.from({ length: SHARDS }, (_, shard) => this.#server(named(shard), this.#partition(isRead)))
  }

  #side(isRead: boolean): string {
    return this.#isShared ? 'units' : isRead ? 'reads' : 'writes'
  }

  #partition(isRead: boolean): number {
    return this.#limits[isRead ? 'partitionReads' : 'partitionWrites'].value
  }

  /** Part of each limit that was asked for in `ms` milliseconds; above 1 it was more than there is. */
  used(ms: number): ReadonlyMap<string, number> {
    const used = new Map<string, number>()
    for (const [name, { asked, perSecond }] of this.#servers) {
      const key = name.replace(/ of marks \d+/, ' of marks')
      used.set(key, Math.max(used.get(key) ?? 0, asked / (perSecond * (ms / 1000))))
    }
    used.set('requests at once', this.slots.takenMs / (this.slots.count * ms))
    return used
  }

  #server(name: string, perSecond: number): RateServer {
    const known = this.#servers.get(name)
    if (known) return known
    const made = new RateServer(perSecond)
    this.#servers.set(name, made)
    return made
  }
}
