// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { failAt, withFaults, type Fault } from '#adapters/around/faults.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'
import type { ChainId, Digest } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { readErasures } from '#core/client/acts/state-erased.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { select, type Needs } from '#core/ports/needs.ts'
import { allRows } from '#core/server/copy/source.ts'
import { rowKey } from '#core/server/store/rows.ts'
import { copyOf, MIRROR_NEEDS } from '#core/server/mirror/copy-of.ts'
import { mirrorChains, type MirrorReport } from '#core/server/mirror/mirror.ts'
import { role as keeper } from '#functions/keeper/role.ts'
import { role as mirrorRole } from '#functions/mirror/role.ts'
import { HOME_ROLES } from '#functions/roles.ts'
import { logKeysOf } from '#tests/core/server/cosign/witnessed-world.ts'
import { seededRandom, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { entry, HOME } from '../attempts.ts'

let world: TestDeployment
let record: ChainId

/** A mirror with nothing in it, whose every call can fail. */
async function emptyMirror() {
  const base = withKeptKeys(
    openMemory({ now: () => world.clock.now, random: seededRandom(3), fetch: world.fetch }),
    'faults',
  )
  const faults = withFaults(base)
  const { id: institution, instance } = world.institution('mirror-m')
  const ports = {
    ...(await select(faults.platform, { ...MIRROR_NEEDS, keys: {} })),
    keys: { instance, head: await base.signer('head') },
  }
  const logKeys = await logKeysOf(world.platform)
  const home = {
    ...HOME,
    registry: world.registryId,
    logKeys,
    policy: null,
    own: 'http://mirror.test',
    institution,
    backupDays: 0,
    verifiers: createVerifiers(),
  }
  return { base, faults, run: () => mirrorChains(ports, home), copy: copyOf(ports, HOME.deployment) }
}

/** Everything that the copy has, but for signed times. */
async function held({ base, copy }: Awaited<ReturnType<typeof emptyMirror>>) {
  const found: Record<string, string> = {}
  for (const name of ['blocks', 'states', 'wraps', 'packages', 'labels', 'registry'] as const) {
    for (const partition of [record, 'blocks'])
      for await (const row of allRows(copy.tables[name], partition))
        found[`${name}/${row.key}`] = Buffer.from(row.value).toString('base64')
  }
  for (const table of ['receipts', 'jobs', 'checkpoints'] as const)
    for (const partition of [record, 'erase', 'gaps', 'log'])
      for await (const row of allRows(copy.tables[table], partition)) found[`${table}/${row.key}`] = 'there'
  for await (const row of allRows(copy.tables.blocks, record)) {
    const { payload } = JSON.parse(
      `{"payload":${Buffer.from(Buffer.from(row.value).toString().split('.')[1] ?? '', 'base64url').toString()}}`,
    ) as { payload: { entries: { root: Digest; keys: Digest } | null } }
    if (!payload.entries) continue
    const object = await base.objects('mirror').fetch(`home-1/entries/${record}/${payload.entries.root}`)
    found[`object/${rowKey(payload.entries)}`] = object ? 'there' : 'absent'
  }
  return found
}

beforeAll(async () => {
  world = await testDeployment(['hospital-a', 'mirror-m'])
  const a = world.connect('hospital-a')
  ;({ record } = await createRecord(a, HOME, ['general']))
  await shareRecord(a, record, { institution: world.institution('mirror-m').id, rights: ['hold'] })
  await a.append(record, [entry('kept')])
  await a.append(record, [entry('erased')])
  const { instance, second } = world.institution('hospital-a')
  const { opened } = await a.read(record)
  const what = { scope: 'entries' as const, entries: opened.slice(1), ground: 'misfiled' as const }
  const { block } = await requestErasure(a, record, what, { instances: [instance, second] })
  world.clock.now += 73 * 3_600_000
  await settleErasure(a, record, block.height, 'complete')
  await world.tendLog()
}, 30_000)

describe('a mirror whose calls fail', () => {
  it.each<[Fault]>([['not-applied'], ['applied-unknown']])(
    'has the same copy after the next run, wherever the first one ended: %s',
    async (fault) => {
      const clean = await emptyMirror()
      await clean.run()
      const calls = [...clean.faults.calls()]
      const expected = await held(clean)
      expect(Object.values(expected).filter((value) => value === 'absent')).toHaveLength(1)
      for (const [k, call] of calls.entries()) {
        // A read that fails leaves nothing behind: the first of each name stands for the others.
        if (/\.(get|range|fetch)$/.test(call) && calls.indexOf(call) !== k) continue
        const mirror = await emptyMirror()
        mirror.faults.plan(failAt(k, fault))
        await expect(mirror.run()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
        mirror.faults.plan(() => null)
        const { problems } = await mirror.run()
        expect({ k, call, problems, held: await held(mirror) }).toEqual({
          k,
          call,
          problems: [],
          held: expected,
        })
      }
    },
    60_000,
  )

  it('states to the home that it carried out the erasure', async () => {
    const mirror = await emptyMirror()
    const { id: institution } = world.institution('mirror-m')
    await mirror.run()
    const erasures = await readErasures(world.connect('hospital-a'), record)
    expect(erasures[0]?.stated).toContain(`mirror:${institution}`)
  })

  it('says what its home has lost, keeps what it has, and takes what is there again', async () => {
    const mirror = await emptyMirror()
    const { notes } = await world.connect('hospital-a').replica(record)
    const entries = notes.find((note) => note.entries !== null)?.entries
    if (!entries) throw new Error('entries are expected')
    const wraps = world.platform.table('wraps')
    const row = await wraps.get(record, rowKey(entries))
    if (!row) throw new Error('a key row is expected')
    await wraps.swap(record, row.key, row.version, null)
    const problemsOf = ({ problems }: MirrorReport) =>
      problems.map(({ what }) => what.replace(/: chain.*/, ''))
    expect(problemsOf(await mirror.run())).toEqual(['rule keys-row'])
    expect(problemsOf(await mirror.run())).toEqual(['rule keys-row'])
    await wraps.insert(record, row.key, row.value)
    expect(problemsOf(await mirror.run())).toEqual([])
    const back = await wraps.get(record, row.key)
    await wraps.swap(record, row.key, back?.version ?? null, null)
    // What the home loses now, the mirror still has.
    expect(problemsOf(await mirror.run())).toEqual([])
    expect((await mirror.copy.tables.wraps.get(record, row.key))?.value).toEqual(row.value)
    await wraps.insert(record, row.key, row.value)
  })
})

describe('the role mirror', () => {
  it('reaches its own stores and two keys alone; of others only the keeper reaches them, to read, without a key', () => {
    expect(mirrorRole.needs).toEqual({
      tables: { mirror: 'write', 'mirror-keys': 'write' },
      objects: { mirror: 'shred' },
      keys: { instance: 'sign', head: 'sign' },
    })
    const others: readonly { readonly needs: Needs }[] = HOME_ROLES
    const using = others.filter(
      ({ needs }) => needs.tables.mirror ?? needs.tables['mirror-keys'] ?? needs.objects.mirror,
    )
    expect(using).toEqual([keeper])
    expect(keeper.needs).toEqual({
      tables: { mirror: 'read', 'mirror-keys': 'read', checkpoints: 'read', registry: 'read' },
      objects: { mirror: 'fetch' },
      keys: {},
    })
  })
})
