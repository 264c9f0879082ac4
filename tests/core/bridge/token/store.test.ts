// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { failAt, withFaults } from '#adapters/around/faults.ts'
import { memoryTable } from '#adapters/memory/table.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { createClients, type Clients } from '#core/bridge/store/clients.ts'
import { createMarks, type Marks } from '#core/bridge/store/marks.ts'
import { createSealedRows } from '#core/bridge/store/sealed-rows.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { readKeySet } from '#core/token/client-keys.ts'
import { formatScopes, parseScopes } from '#core/token/scopes.ts'
import { seededRandom } from '#tests/deployment.ts'
import { EC } from './world.ts'

const KEY = new Uint8Array(32).fill(5)
const UNTIL_MS = 2000
const FAULTS = ['not-applied', 'applied-unknown'] as const

/** The stores of one process over a table; `clock` is what it believes. */
function open(table: WriteTable, clock = { now: 1000 }): { clients: Clients; marks: Marks } {
  const random = seededRandom(3)
  const now = () => clock.now
  const rows = createSealedRows(KEY, random)
  return {
    clients: createClients(table, rows, { now, random }),
    marks: createMarks(table, rows, 'used', now),
  }
}

const client = (id: string, scopes = 'system/*.rs') => ({
  id,
  name: `Name of ${id}`,
  jwksUrl: null,
  keys: readKeySet({ keys: [EC.jwk] }).keys,
  scopes: parseScopes(scopes),
})
const shown = async (clients: Clients) =>
  (await clients.list()).map(({ id, status, scopes }) => `${id} ${status} ${formatScopes(scopes)}`)

/** Runs an act with each call of it failing, and then once more, as its user does, on a table that nobody disturbs. */
async function eachCall(
  prepare: (stores: ReturnType<typeof open>) => Promise<unknown>,
  act: (stores: ReturnType<typeof open>) => Promise<unknown>,
  check: (stores: ReturnType<typeof open>, first: PromiseSettledResult<unknown>) => Promise<void>,
): Promise<number> {
  for (let k = 0; ; k++) {
    let reached = false
    for (const fault of FAULTS) {
      const faulty = withFaults(openMemory())
      const table = faulty.platform.table('bridge')
      await prepare(open(table))
      faulty.plan(failAt(k, fault))
      const [first] = await Promise.allSettled([act(open(table))])
      reached ||= faulty.calls().length > k
      faulty.plan(() => null)
      if (first) await check(open(table), first)
    }
    if (!reached) return k
  }
}

describe('clients', () => {
  it('are found by another process as they were registered, each in its own row', async () => {
    const table = memoryTable()
    const { clients } = open(table)
    expect(await clients.isEmpty()).toBe(true)
    await clients.register(client('b'))
    await clients.register(client('a', 'system/Patient.r'))
    const other = open(table).clients
    expect(await shown(other)).toEqual(['a active system/Patient.r', 'b active system/*.rs'])
    expect((await other.find('a'))?.keys).toEqual(client('a').keys)
    expect(await other.find('c')).toBeNull()
    await other.suspend('a')
    expect((await clients.find('a'))?.status).toBe('suspended')
    await expect(other.suspend('c')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect([await other.remove('a'), await clients.remove('a'), await clients.find('a')]).toEqual([
      true,
      false,
      null,
    ])
  })

  it('are not served from the row of another', async () => {
    const table = memoryTable()
    const { clients } = open(table)
    await clients.register(client('a', 'system/Patient.r'))
    await clients.register(client('b'))
    const rows = await table.range('client')
    const [first, second] = rows
    if (!first || !second) throw new Error('there are no rows')
    await table.swap('client', first.key, first.version, second.value)
    await expect(open(table).clients.list()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  it('say nothing in the table that could be read without the secret', async () => {
    const table = memoryTable()
    await open(table).clients.register(client('laboratory-7'))
    const [row] = await table.range('client')
    const text = `${row?.key} ${new TextDecoder('latin1').decode(row?.value)}`
    for (const said of ['laboratory', 'Name of', 'system', 'ec-1']) expect(text).not.toContain(said)
  })

  it('change as a whole or not at all, whichever call fails, and again when it is tried again', async () => {
    const before = async ({ clients }: ReturnType<typeof open>) =>
      clients.register(client('a', 'system/Device.r'))
    const acts = {
      register: [
        ({ clients }: ReturnType<typeof open>) => clients.register(client('a')),
        ['a active system/*.rs'],
      ],
      suspend: [
        ({ clients }: ReturnType<typeof open>) => clients.suspend('a'),
        ['a suspended system/Device.r'],
      ],
      remove: [({ clients }: ReturnType<typeof open>) => clients.remove('a'), []],
    } as const
    for (const [act, after] of Object.values(acts)) {
      const calls = await eachCall(before, act, async (stores, first) => {
        expect([['a active system/Device.r'], after]).toContainEqual(await shown(stores.clients))
        if (first.status === 'rejected') expect(first.reason).toMatchObject({ code: 'STORE_UNAVAILABLE' })
        await act(stores)
        expect(await shown(stores.clients)).toEqual(after)
      })
      expect(calls).toBe(2)
    }
  })

  it('change by turns where many change one at once', async () => {
    const table = memoryTable()
    const processes = Array.from({ length: 4 }, () => open(table).clients)
    await Promise.all(
      processes.map((clients, i) => clients.register(client('a', `system/Device.${'crud'[i]}`))),
    )
    expect(await processes[0]?.list()).toHaveLength(1)
  })
})

describe('a mark', () => {
  it('is the first of one process, of however many', async () => {
    const table = memoryTable()
    const marks = Array.from({ length: 8 }, () => open(table).marks)
    const firsts = await Promise.all(marks.map((one) => one.mark(UNTIL_MS, 'x')))
    expect(firsts.filter(Boolean)).toHaveLength(1)
  })

  it('that is past is as none, for one of however many who come then', async () => {
    const table = memoryTable()
    await open(table).marks.mark(UNTIL_MS, 'x')
    const clock = { now: UNTIL_MS - 1 }
    const { marks } = open(table, clock)
    expect([await marks.isMarked('x'), await marks.mark(9000, 'x')]).toEqual([true, false])
    clock.now = UNTIL_MS
    expect(await marks.isMarked('x')).toBe(false)
    const firsts = await Promise.all(
      Array.from({ length: 8 }, () => open(table, clock).marks.mark(9000, 'x')),
    )
    expect(firsts.filter(Boolean)).toHaveLength(1)
    expect(await marks.isMarked('x')).toBe(true)
  })

  it('is swept when it is past, and not before', async () => {
    const table = memoryTable()
    const clock = { now: 0 }
    const { marks } = open(table, clock)
    for (let i = 0; i < 1200; i++) await marks.mark(i < 1100 ? UNTIL_MS : 9000, String(i))
    expect(await marks.sweep()).toBe(0)
    clock.now = UNTIL_MS
    expect(await marks.sweep()).toBe(1100)
    expect(await table.range('used')).toHaveLength(100)
  })

  it('is never given to two, whichever call fails', async () => {
    const nothing = async () => {}
    const calls = await eachCall(
      nothing,
      ({ marks }) => marks.mark(UNTIL_MS, 'x'),
      async ({ marks }, first) => {
        const second = await marks.mark(UNTIL_MS, 'x')
        if (first.status === 'fulfilled') expect([first.value, second]).toEqual([true, false])
        expect(await marks.mark(UNTIL_MS, 'x')).toBe(false)
        expect(await marks.isMarked('x')).toBe(true)
      },
    )
    expect(calls).toBe(1)
  })
})
