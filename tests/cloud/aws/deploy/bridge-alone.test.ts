// SPDX-License-Identifier: Apache-2.0
import { beforeAll, expect, it } from '@jest/globals'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshFolder } from '#tests/cli/harness.ts'
import { bundle, observation, patient } from '#tests/core/bridge/requests.ts'
import { ehrAt, keySetIn, type Ehr } from '../../bridge-client.ts'
import { describeOn } from '../stack.ts'
import { ampere, ask, NATIVE, stageFolder, tell } from './commands.ts'

const data = freshFolder()
const [HOME, ALONE] = ['town', 'ward'] as const
const A = ['--institution', 'hospital-a=Hospital A']
const B = ['--institution', 'hospital-b=Hospital B']
const deploy = (stage: string, ...args: readonly string[]) =>
  ampere(data, 'deploy', 'aws', '--stage', stage, ...args)
const add = (stage: string) =>
  ampere(
    data,
    'client',
    'add',
    'ehr',
    '--jwks',
    keySetIn(data),
    '--scopes',
    'system/*.cruds',
    '--cloud',
    `aws-${stage}`,
  )
const records = async (...args: readonly string[]) =>
  ((await ampere(data, 'chain', 'list', ...args)) as { items: { chain: string }[] }).items.map(
    ({ chain }) => chain,
  )

describeOn('MiniStack', 'a bridge alone, and one that a home is given later', () => {
  const made: { home?: string; bridge?: Record<string, unknown>; ehr?: Ehr } = {}
  const ehr = (): Ehr => {
    if (!made.ehr) throw new Error('the bridge was not deployed')
    return made.ehr
  }

  beforeAll(async () => {
    stageFolder(data, HOME)
    made.home = String((await deploy(HOME, '--demo', ...A, ...B, ...NATIVE))['origin'])
    made.bridge = await deploy(ALONE, '--role', 'bridge', '--home', `aws-${HOME}`, ...B)
    await add(ALONE)
    made.ehr = ehrAt(ask, String(made.bridge['origin']))
  }, 1_200_000)

  it('has an address of its own, and is listed in the registry of the home that it uses', () => {
    const { origin, bridge, smoke } = made.bridge ?? {}
    expect(origin).not.toBe(made.home)
    expect({ bridge, smoke }).toEqual({
      bridge: {
        institution: 'hospital-b',
        fhir: `${String(origin)}/fhir`,
        instance: `hospital-b-aws-${ALONE}`,
      },
      smoke: null,
    })
  })

  it('files what a registered client sends at that home, and serves it', async () => {
    await ehr().files('p1', 'o1')
    expect(await ehr().reads('Observation/o1')).toMatchObject({ id: 'o1' })
    expect((await ehr().reads('Patient/p1/$everything'))['entry']).toHaveLength(2)
  }, 120_000)

  it.each([`aws-${HOME}`, `aws-${ALONE}`])(
    'has commands with --cloud %s know its patients and file in their records',
    async (cloud) => {
      const as = ['--cloud', cloud, '--as', 'hospital-b']
      const [record, ...more] = await records(...as)
      expect(more).toEqual([])
      const file = join(data, 'more.json')
      writeFileSync(file, bundle('collection', [patient('p1'), observation(`of-${cloud}`, 'p1')]))
      await ampere(data, 'import', file, ...as)
      expect(await records(...as)).toEqual([record])
      expect(await ehr().reads(`Observation/of-${cloud}?patient=p1`)).toMatchObject({ id: `of-${cloud}` })
    },
    120_000,
  )

  it('is the only one of its institution for a home', async () => {
    const args = ['deploy', 'aws', '--stage', 'second', '--role', 'bridge', '--home', `aws-${HOME}`, ...B]
    expect(await tell(data, ...args, '--plan')).toMatchObject({ exit: 1, said: { code: 'ALREADY_EXISTS' } })
  }, 60_000)

  it('is given to a home that stands, which hands over what was filed there without it', async () => {
    const as = ['--cloud', `aws-${HOME}`, '--as', 'hospital-a']
    const file = join(data, 'before.json')
    writeFileSync(file, bundle('collection', [patient('p7'), observation('before', 'p7')]))
    await ampere(data, 'import', file, ...as)
    const before = await records(...as)
    expect(before).toHaveLength(1)
    const said = await deploy(HOME, '--role', 'both')
    expect(said).toMatchObject({ origin: made.home, bridge: { institution: 'hospital-a' } })
    const kept = join(data, 'cloud', `aws-${HOME}`, 'institutions', 'hospital-a')
    expect(['bridge', 'bridge-handed-over'].map((name) => existsSync(join(kept, name)))).toEqual([
      false,
      true,
    ])
    await add(HOME)
    const own = ehrAt(ask, String(made.home))
    await own.files('p7', 'after')
    for (const id of ['before', 'after']) expect(await own.reads(`Observation/${id}`)).toMatchObject({ id })
    expect(await records(...as)).toEqual(before)
  }, 400_000)

  it('lets the other institution join a record by a code that it issued', async () => {
    const as = ['--cloud', `aws-${HOME}`, '--as', 'hospital-a']
    const [record = ''] = await records(...as)
    const issued = await ampere(data, 'pair', 'issue', record, ...as)
    expect(issued).toMatchObject({ chain: record, at: made.home })
    const joinBy = (code: string, cloud: string) =>
      tell(data, 'pair', 'join', code, '--patient', 'b-7', '--at', String(made.home), '--cloud', cloud)
    expect(await joinBy('ZZZZ-ZZZZ-ZZZZ', `aws-${ALONE}`)).toMatchObject({
      exit: 1,
      said: { code: 'NOT_FOUND' },
    })
    const joined = await joinBy(String(issued['code']), `aws-${ALONE}`)
    expect(joined).toMatchObject({ exit: 0, said: { chain: record } })
    await ehr().files('b-7', 'of-b')
    const { entry = [] } = (await ehr().reads('Patient/b-7/$everything')) as { entry?: object[] }
    expect(JSON.stringify(entry)).toContain('"before"')
    const own = ehrAt(ask, String(made.home))
    expect(JSON.stringify(await own.reads('Patient/p7/$everything'))).toContain('"of-b"')
  }, 200_000)
})
