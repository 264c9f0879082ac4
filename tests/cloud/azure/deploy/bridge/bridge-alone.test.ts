// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cloudFolder } from '#cli/cloud/cloud-folder.ts'
import { JOSE_TYPE } from '#core/api/bridge/pairing.ts'
import { asChainId } from '#core/bytes/ids.ts'
import { issuePairingCode, joinRecord } from '#core/bridge/file/pair.ts'
import { freshFolder, jsonOf } from '#tests/cli/harness.ts'
import { bundle, observation, patient } from '#tests/core/bridge/requests.ts'
import { ehrAt, keySetIn, type Ehr } from '../../../bridge-client.ts'
import { runOn } from '../world.ts'
import { actingFor, importAs } from './acting.ts'
import { emulatedAzure, type EmulatedAzure } from './emulated.ts'

const [HOME, ALONE] = ['town', 'ward'] as const
const data = freshFolder()
const folder = cloudFolder(data, 'azure', HOME)
const B = ['--institution', 'hospital-b=Hospital B']

describe('a bridge alone on Azure, and one that a home is given later', () => {
  const made: { on?: EmulatedAzure; home?: string; bridge?: Record<string, unknown>; ehr?: Ehr } = {}
  const on = (): EmulatedAzure => {
    if (!made.on) throw new Error('not started')
    return made.on
  }
  const run = async (...args: readonly string[]) => {
    const ended = await runOn(on().azure, [...args, '--data', data, '--no-input', '--json'])
    expect({ args, code: ended.code, said: ended.code === 0 ? '' : ended.out }).toEqual({
      args,
      code: 0,
      said: '',
    })
    return jsonOf(ended)
  }
  const deploy = async (stage: string, ...args: readonly string[]) => {
    await on().turnTo(stage)
    return run('deploy', 'azure', '--stage', stage, ...args)
  }
  const ehrOf = async (stage: string, origin: unknown) => {
    const scopes = ['--scopes', 'system/*.cruds', '--cloud', `azure-${stage}`]
    await run('client', 'add', 'ehr', '--jwks', keySetIn(data), ...scopes)
    return ehrAt(on().azure.fetch, String(origin))
  }
  const acting = (institution: string) => actingFor(folder, institution, on().azure.fetch)
  const patientsOf = async (institution: string) => {
    const open = await acting(institution)
    const known = await open.records()
    await open.close()
    return known
  }

  beforeAll(async () => {
    made.on = await emulatedAzure([HOME, ALONE])
    const founders = ['--institution', 'hospital-a=Hospital A', ...B, '--demo']
    made.home = String((await deploy(HOME, ...founders))['origin'])
    made.bridge = await deploy(ALONE, '--role', 'bridge', '--home', `azure-${HOME}`, ...B)
    made.ehr = await ehrOf(ALONE, made.bridge['origin'])
  }, 1_200_000)
  afterAll(async () => made.on?.close())

  it('has an address of its own, and files there what a registered client sends', async () => {
    expect(made.bridge).toMatchObject({
      smoke: null,
      bridge: { institution: 'hospital-b', instance: `hospital-b-azure-${ALONE}` },
    })
    expect(made.bridge?.['origin']).not.toBe(made.home)
    await made.ehr?.files('p1', 'o1')
    expect(await made.ehr?.reads('Observation/o1')).toMatchObject({ id: 'o1' })
    expect((await made.ehr?.reads('Patient/p1/$everything'))?.['entry']).toHaveLength(2)
  }, 240_000)

  it('has what is imported from its institution’s computer in the same record', async () => {
    const before = await patientsOf('hospital-b')
    const open = await acting('hospital-b')
    await importAs(open, bundle('collection', [patient('p1'), observation('o2', 'p1')]))
    await open.access.flush()
    await open.close()
    expect(await patientsOf('hospital-b')).toEqual(before)
    expect((await made.ehr?.reads('Patient/p1/$everything'))?.['entry']).toHaveLength(3)
  }, 240_000)

  it('is given to a home that stands, takes over its index, and lets others join by its codes', async () => {
    const before = await acting('hospital-a')
    await importAs(before, bundle('collection', [patient('p7'), observation('before', 'p7')]))
    await before.close()
    const [known] = await patientsOf('hospital-a')
    expect(await deploy(HOME, '--role', 'both')).toMatchObject({ origin: made.home })
    expect(existsSync(join(folder, 'institutions', 'hospital-a', 'bridge'))).toBe(false)
    const own = await ehrOf(HOME, made.home)
    await own.files('p7', 'after')
    expect(await patientsOf('hospital-a')).toEqual([known])
    for (const id of ['before', 'after']) expect(await own.reads(`Observation/${id}`)).toMatchObject({ id })

    const [issuer, joiner] = [await acting('hospital-a'), await acting('hospital-b')]
    const code = await issuePairingCode(issuer.bridge, 'p7')
    const asked = await on().azure.fetch(
      new Request(`${String(made.home)}/pairing`, {
        method: 'POST',
        headers: { 'content-type': JOSE_TYPE },
        body: await joiner.bridge.ports.client.requestPairing(code),
      }),
    )
    const { chain = '' } = (await asked.json()) as { chain?: string }
    expect([asked.status, chain]).toEqual([200, known?.chain])
    await joinRecord(joiner.bridge, 'b-7', asChainId(chain))
    for (const open of [issuer, joiner]) await open.close()
    expect(JSON.stringify(await made.ehr?.reads('Patient/b-7/$everything'))).toContain('"before"')
  }, 400_000)
})
