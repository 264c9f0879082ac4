// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../../bytes/canonical-json.ts'
import { utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import type { RecordClient } from '../../client/client.ts'
import type { Now } from '../../ports/keys.ts'

/** One reading of a record on this server. */
export interface AccessEvent {
  readonly chain: ChainId
  /** Who asked, as the bridge knows it. */
  readonly user: string
  readonly role: string
  readonly purpose: string
  /** What was opened, for example `Patient/$everything`. */
  readonly what: string
  readonly resources: number
}

/** Collects readings and enters them in the access chains, in batches. */
export interface AccessLog {
  record(event: AccessEvent): void
  /** Enters what was collected; the host calls it at least every 60 s. @returns how many were entered */
  flush(): Promise<number>
}

/** Events that are kept until the next flush; beyond that a reading waits for one. */
export const MAX_WAITING = 1000

/** An access log over the access chains that the record chains name. What cannot be entered stays collected. */
export function createAccessLog(client: RecordClient, now: Now): AccessLog {
  let waiting: (AccessEvent & { readonly at: string })[] = []
  return {
    record: (event) => {
      waiting.push({ ...event, at: toTimestamp(now()) })
    },
    flush: async () => {
      const batch = waiting
      waiting = []
      let entered = 0
      for (const chain of new Set(batch.map((event) => event.chain))) {
        const events = batch.filter((event) => event.chain === chain)
        try {
          entered += await enter(client, chain, events)
        } catch (error) {
          waiting = [...events, ...waiting]
          throw error
        }
      }
      return entered
    },
  }
}

async function enter(client: RecordClient, chain: ChainId, events: readonly object[]): Promise<number> {
  const access = await client.accessChainOf(chain)
  if (!access) return 0
  const entries = events.map((event) => ({
    header: canonicalBytes({ v: 1, type: 'access' }),
    content: utf8(JSON.stringify(event)),
    compartment: 'access',
  }))
  await client.append(access, entries)
  return events.length
}
