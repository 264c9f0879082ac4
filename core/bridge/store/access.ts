// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toBase64url, utf8 } from '../../bytes/encoding.ts'
import { canonicalBytes } from '../../bytes/canonical-json.ts'
import { asChainId, type ChainId } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import type { RecordClient } from '../../client/client.ts'
import type { Now, Random } from '../../ports/keys.ts'
import type { Row, WriteTable } from '../../ports/table.ts'
import { createTurns } from '../../order/turns.ts'
import type { SealedRows } from './sealed-rows.ts'

/** What a client says of the person that it acts for. */
export interface Claimed {
  readonly user?: string
  readonly role?: string
}

/** One reading of a record on this server. */
export interface AccessEvent {
  readonly chain: ChainId
  /** Who asked, as the bridge knows it. */
  readonly user: string
  readonly role: string
  readonly purpose: string
  /** What a client that is known here claims of its user, kept apart from what the bridge knows. */
  readonly claims?: Claimed
  /** What was opened, for example `Patient/$everything`. */
  readonly what: string
  readonly resources: number
}

/** Keeps readings and enters them in the access chains, in batches. */
export interface AccessLog {
  /** Keeps a reading durably; awaited before anything that was read is given out. */
  record(event: AccessEvent): Promise<void>
  /**
   * Enters what is kept; the host calls it at least every 60 s. What cannot be entered stays for the next call. Of several processes
   * with one table one enters, and the others leave it to that one.
   * @returns how many were entered here
   * @throws AmpereError of the first chain that failed, after all were tried
   */
  flush(): Promise<number>
}

/** Partition of the bridge's table with the readings that wait, in order of time. */
const WAITING = 'access'
/** Whose turn it is to enter them: a row with the time when that ends. */
const TURN = { partition: 'turn', key: 'access' } as const
/** How long one process has the turn, in milliseconds; one that died leaves it for no longer. */
const TURN_MS = 120_000

/** An access log over the access chains that the record chains name; what waits is sealed in the bridge's own table. */
export function createAccessLog(
  client: RecordClient,
  table: WriteTable,
  rows: SealedRows,
  ports: { readonly now: Now; readonly random: Random },
): AccessLog {
  const inTurn = createTurns()
  return {
    record: async (event) => {
      const at = toTimestamp(ports.now())
      const id = toBase64url(ports.random(16))
      const { chain, resources, ...rest } = event
      const kept = { chain, entry: JSON.stringify({ id, at, ...rest, resources }) }
      await table.insert(WAITING, `${at}/${id}`, await rows.seal(kept))
    },
    // Two at once would enter the same twice, in this process or in two.
    flush: () => inTurn(WAITING, () => alone(table, ports, () => flush(client, table, rows))),
  }
}

/** Acts while it is this process's turn, and gives it back. @returns what `act` does, or 0 where it is another's turn */
async function alone(
  table: WriteTable,
  { now }: { readonly now: Now },
  act: () => Promise<number>,
): Promise<number> {
  const { partition, key } = TURN
  if ((await table.range(WAITING, { limit: 1 })).length === 0) return 0
  const row = await table.get(partition, key)
  if (row && Number(fromUtf8(row.value)) > now()) return 0
  const turn = await table.swap(partition, key, row?.version ?? null, utf8(String(now() + TURN_MS)))
  if (turn === null) return 0
  try {
    return await act()
  } finally {
    await table.swap(partition, key, turn, null)
  }
}

async function flush(client: RecordClient, table: WriteTable, rows: SealedRows): Promise<number> {
  const failures: unknown[] = []
  let entered = 0
  // Page by page: what cannot be entered stays, and must not keep out what comes after it.
  for (let from = ''; ;) {
    const waiting = await table.range(WAITING, { from })
    const byChain = new Map<string, Waiting[]>()
    for (const row of waiting) {
      const reading = await open(rows, row).catch((error: unknown) => void failures.push(error))
      if (reading) byChain.set(reading.chain, [...(byChain.get(reading.chain) ?? []), reading])
    }
    for (const [chain, readings] of byChain) {
      try {
        await enter(client, asChainId(chain), readings)
        // After a crash here they are entered again; their ids tell that it was one reading.
        for (const { row } of readings) await table.swap(WAITING, row.key, row.version, null)
        entered += readings.length
      } catch (error) {
        failures.push(error)
      }
    }
    const last = waiting.at(-1)
    if (!last) break
    from = `${last.key}\u0000`
  }
  if (failures.length > 0) throw failures[0]
  return entered
}

/** A reading that waits to be entered. */
interface Waiting {
  readonly chain: string
  readonly entry: string
  readonly row: Row
}

async function open(rows: SealedRows, row: Row): Promise<Waiting> {
  const { chain = '', entry = '' } = await rows.open(row.value)
  return { chain, entry, row }
}

async function enter(client: RecordClient, chain: ChainId, readings: readonly Waiting[]): Promise<void> {
  const access = await client.accessChainOf(chain)
  // A record without an access chain has nowhere to enter them.
  if (!access) return
  const header = canonicalBytes({ v: 1, type: 'access' })
  await client.append(
    access,
    readings.map(({ entry }) => ({ header, content: utf8(entry), compartment: 'access' })),
  )
}
