// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, observation, patient, type Json } from '#tests/core/bridge/requests.ts'
import { ehrAt, keySetIn } from '#tests/cloud/bridge-client.ts'
import { freshFolder, serveProcess, testPort, type Serving } from '../harness.ts'
import { told } from '../told.ts'
import { bridged, type Bridged } from './bridged.ts'
import { asDeployed, type InCloud } from './in-cloud.ts'

const served = freshFolder()
const ask = (request: Request) => fetch(request)
let serving: Serving
let home: InCloud
let bridge: Bridged

const recordsOf = async (institution: string) => {
  const { items } = (await home.ampere('chain', 'list', '--as', institution)) as unknown as {
    items: { chain: string }[]
  }
  return items.map(({ chain }) => chain)
}
const kept = (name: string) => join(home.folder, 'institutions', 'hospital-a', name)
const file = (name: string, ...resources: readonly object[]) => {
  const path = join(home.data, name)
  writeFileSync(path, bundle('collection', resources as readonly Json[]))
  return path
}

beforeAll(async () => {
  const start = ['start', '--demo', '--data', served, '--port', testPort(106)]
  serving = await serveProcess(start)
  home = asDeployed(served, 'prod')
}, 60_000)
afterAll(async () => {
  await bridge?.close()
  await serving.stop()
})

describe('an institution with a bridge in a cloud', () => {
  let record = ''

  it('has one record for a patient, whose data were filed from here before there was the bridge', async () => {
    const first = file('first.json', patient('p1'), observation('o1', 'p1'))
    expect(await home.ampere('import', first)).toMatchObject({ exit: 0, filed: 2 })
    const before = await recordsOf('hospital-a')
    expect(before).toHaveLength(1)
    record = before[0] ?? ''
    expect(existsSync(kept('bridge'))).toBe(true)

    bridge = await bridged(home.data, { stage: 'ward', home: 'aws-prod', institution: 'hospital-a' })
    expect(await recordsOf('hospital-a')).toEqual([record])
    expect([existsSync(kept('bridge')), existsSync(kept('bridge-handed-over'))]).toEqual([false, true])
    expect(await home.ampere('import', first)).toMatchObject({ exit: 0, filed: 0, unchanged: 2 })
    expect(await recordsOf('hospital-a')).toEqual([record])
  }, 180_000)

  it('has what its software sends and what commands import in the same record', async () => {
    const add = ['client', 'add', 'ehr', '--jwks', keySetIn(home.data), '--scopes', 'system/*.cruds']
    expect(await told(home.data, ...add, '--cloud', 'aws-ward')).toMatchObject({ exit: 0 })
    const ehr = ehrAt(ask, bridge.origin)
    expect(await ehr.reads('Observation/o1')).toMatchObject({ id: 'o1' })
    await ehr.files('p1', 'o2')
    await ehr.files('p2', 'o3')
    const more = file('more.json', patient('p2'), observation('o4', 'p2'))
    expect(await home.ampere('import', more)).toMatchObject({ exit: 0, filed: 1, unchanged: 1 })
    expect(await recordsOf('hospital-a')).toHaveLength(2)
    expect((await ehr.reads('Patient/p1/$everything'))['entry']).toHaveLength(3)
    expect((await ehr.reads('Patient/p2/$everything'))['entry']).toHaveLength(3)
    expect(existsSync(kept('bridge'))).toBe(false)
  }, 180_000)

  it('is named by the home that it uses or by its own deployment', async () => {
    const named = await told(home.data, 'chain', 'list', '--cloud', 'aws-ward')
    const { items } = named as unknown as { items: { chain: string }[] }
    expect(items.map(({ chain }) => chain).toSorted()).toEqual((await recordsOf('hospital-a')).toSorted())
    expect(await told(home.data, 'chain', 'list', '--as', 'hospital-b', '--cloud', 'aws-ward')).toMatchObject(
      {
        exit: 2,
      },
    )
  }, 180_000)

  it('issues codes that its bridge answers, once', async () => {
    const issued = await home.ampere('pair', 'issue', record.slice(0, 8))
    expect(issued).toMatchObject({ exit: 0, chain: record, at: bridge.origin })
    const joinBy = (code: unknown, patientId: string) => {
      const args = ['pair', 'join', String(code), '--patient', patientId, '--at', bridge.origin]
      return home.ampere(...args, '--as', 'hospital-b')
    }
    expect(await joinBy('ZZZZ-ZZZZ-ZZZZ', 'b-1')).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
    expect(await joinBy(issued['code'], 'b-1')).toMatchObject({ exit: 0, chain: record })
    expect(await recordsOf('hospital-b')).toEqual([record])
    expect(
      await home.ampere(
        'pair',
        'join',
        String(issued['code']),
        '--patient',
        'c-1',
        '--at',
        bridge.origin,
        '--as',
        'clinic-c',
      ),
    ).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
  }, 180_000)

  it('joins by a code of another institution of this computer, and its bridge serves that record', async () => {
    const theirs = file('theirs.json', patient('b-2'), observation('o9', 'b-2'))
    await home.ampere('import', theirs, '--as', 'hospital-b')
    const [other = ''] = (await recordsOf('hospital-b')).filter((chain) => chain !== record)
    const issued = await home.ampere('pair', 'issue', other, '--as', 'hospital-b')
    expect(issued).toMatchObject({ exit: 0, at: null })
    const joined = await home.ampere('pair', 'join', String(issued['code']), '--patient', 'p9')
    expect(joined).toMatchObject({ exit: 0, chain: other })
    const ehr = ehrAt(ask, bridge.origin)
    expect(JSON.stringify(await ehr.reads('Patient/p9/$everything'))).toContain('"o9"')
  }, 180_000)

  it('has readings entered by commands or by the bridge, and none stays on this computer', async () => {
    const waiting = async () => (await bridge.platform.table('bridge').range('access')).map(({ key }) => key)
    expect(await waiting()).not.toEqual([])
    expect(await home.ampere('rotate', record)).toMatchObject({ exit: 0 })
    expect(await waiting()).toEqual([])
    expect(existsSync(kept('bridge'))).toBe(false)
  }, 180_000)

  it('is not worked for beside a bridge that does not answer', async () => {
    await bridge.close()
    const third = file('third.json', patient('p3'), observation('o5', 'p3'))
    expect(await home.ampere('import', third)).toMatchObject({ exit: 1, code: 'UPSTREAM_FAILED' })
    expect(existsSync(kept('bridge'))).toBe(false)
    expect(await home.ampere('import', third, '--as', 'hospital-b')).toMatchObject({ exit: 0 })
  }, 180_000)
})
